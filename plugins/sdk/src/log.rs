//! Log lines for the user who runs the build.
//!
//! ```
//! synix_plugin::warn!("{} of {} inputs are empty", 2, 10);
//! ```

pub use crate::bindings::synix::plugin::log::Level;

/// Writes one line.
pub fn write(level: Level, message: &str) {
    #[cfg(target_arch = "wasm32")]
    crate::bindings::synix::plugin::log::write(level, message);
    #[cfg(not(target_arch = "wasm32"))]
    crate::testing::note(level, message);
}

/// Writes a line for debugging the transform.
#[macro_export]
macro_rules! debug {
    ($($text:tt)*) => { $crate::log::write($crate::log::Level::Debug, &::std::format!($($text)*)) };
}

/// Writes an informational line.
#[macro_export]
macro_rules! info {
    ($($text:tt)*) => { $crate::log::write($crate::log::Level::Info, &::std::format!($($text)*)) };
}

/// Writes a warning.
#[macro_export]
macro_rules! warn {
    ($($text:tt)*) => { $crate::log::write($crate::log::Level::Warn, &::std::format!($($text)*)) };
}

/// Writes a line about an error.
#[macro_export]
macro_rules! error {
    ($($text:tt)*) => { $crate::log::write($crate::log::Level::Error, &::std::format!($($text)*)) };
}
