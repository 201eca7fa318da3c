//! The names of the columns for members of answers in JSON.

use std::collections::BTreeSet;

use super::COLUMNS;

/// The maximum number of different members of answers in JSON, because each one is a column of every table.
pub const MAX_MEMBERS: usize = 1000;

/// The names that SQLite or the file itself uses for something else.
const RESERVED: [&str; 6] = [
    "document_id",
    "documents",
    "rank",
    "rowid",
    "oid",
    "_rowid_",
];

/// What comes before the name of a member that is taken.
const PREFIX: &str = "data.";

/// Returns the names of the columns for members, in the same order.
///
/// SQLite does not distinguish upper and lower case in names. A member whose name is taken is called `data.NAME`.
pub fn column_names(members: &[String]) -> Vec<String> {
    let mut taken: BTreeSet<String> = COLUMNS
        .iter()
        .chain(&RESERVED)
        .map(|&name| name.to_owned())
        .collect();
    let name = |member: &String| {
        // A name of SQLite ends at a NUL.
        let mut name = member.replace(char::is_control, " ");
        if name.is_empty() {
            PREFIX.clone_into(&mut name);
        }
        while !taken.insert(name.to_lowercase()) {
            name.insert_str(0, PREFIX);
        }
        name
    };
    members.iter().map(name).collect()
}

/// Returns a name as an identifier of SQL.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_member_has_a_name_of_its_own() {
        let members = [
            "product",
            "Product",
            "label",
            "rank",
            "",
            "a\0b",
            "say \"hi\"",
        ];
        let members: Vec<String> = members.iter().map(|&name| name.to_owned()).collect();
        assert_eq!(
            column_names(&members),
            [
                "product",
                "data.Product",
                "data.label",
                "data.rank",
                "data.",
                "a b",
                "say \"hi\""
            ]
        );
        assert_eq!(quoted("say \"hi\""), "\"say \"\"hi\"\"\"");
    }
}
