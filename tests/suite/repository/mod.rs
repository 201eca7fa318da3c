//! Checks of the repository: documents, packages and dependencies.

mod ci_recipes;
mod documents;
mod duplicate_crates;
mod glossary;
mod packages;
mod test_tiers;
