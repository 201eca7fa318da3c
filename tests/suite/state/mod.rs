//! The state folder: old formats, damage, deletion and read-only projects.

mod damage;
mod gc;
mod old_formats;
mod read_only;
