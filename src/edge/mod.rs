//! Everything that touches the world: it does, it never decides.
