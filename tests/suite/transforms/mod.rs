//! The first-party transforms.

mod chunk_and_merge;
mod fold_and_group;
mod json_answers;
mod large_inputs;
mod pictures;
mod reference;
