//! What a plugin's author uses: looking into a component, checking it, running one unit of it.

pub mod check;
pub mod desk;
pub mod inspect;
