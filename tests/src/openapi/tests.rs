//! The validator against documents of its own, small enough to read, and against Microsoft's own examples.
