//! What the engine promises of every saga, each as one fact.
