//! Builds whose units run on a worker in this process, compared with builds that run them here.

mod faults;
mod held;
mod hostile;
mod loopback;
mod project;
mod same;
