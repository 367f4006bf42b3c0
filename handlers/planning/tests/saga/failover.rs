//! What a failover does in cases that a person would ask about.
