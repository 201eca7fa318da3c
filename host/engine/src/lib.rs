//! Plans and builds: which units are stale, in what order they run, who answers their requests, and what is kept.
//!
//! [`build`] holds the scheduler and its answerers, [`batch`] the submissions
//! from requests to rows, [`plan`](mod@plan) what a build would do, and
//! [`view`] what a person or a program is shown of a snapshot.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod batch;
pub mod build;
pub mod plan;
pub mod view;
