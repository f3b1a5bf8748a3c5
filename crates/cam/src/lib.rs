//! cam
