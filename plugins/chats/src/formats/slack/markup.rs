//! The markup of Slack's messages as Markdown.

use std::collections::HashMap;

/// Replaces identifiers by names, links by Markdown, and the three entities of Slack.
pub(super) fn to_markdown(
    text: &str,
    users: &HashMap<String, String>,
    channels: &HashMap<String, String>,
) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, from)) = rest.split_once('<') {
        out.push_str(&entities(before));
        let Some((inside, after)) = from.split_once('>') else {
            out.push('<');
            rest = from;
            break;
        };
        link(&mut out, inside, users, channels);
        rest = after;
    }
    out.push_str(&entities(rest));
    out
}

fn link(
    out: &mut String,
    inside: &str,
    users: &HashMap<String, String>,
    channels: &HashMap<String, String>,
) {
    let (target, name) = match inside.split_once('|') {
        Some((target, name)) => (target, Some(name).filter(|name| !name.is_empty())),
        None => (inside, None),
    };
    let mut mention = |sign: &str, name: &str| {
        out.push_str(sign);
        out.push_str(name);
    };
    if let Some(id) = target.strip_prefix('@') {
        mention(
            "@",
            name.or(users.get(id).map(String::as_str)).unwrap_or(id),
        );
    } else if let Some(id) = target.strip_prefix('#') {
        mention(
            "#",
            name.or(channels.get(id).map(String::as_str)).unwrap_or(id),
        );
    } else if let Some(command) = target.strip_prefix('!') {
        let command = command.split('^').next().unwrap_or(command);
        mention("@", name.unwrap_or(command).trim_start_matches('@'));
    } else {
        match name {
            Some(name) if name != target => {
                out.push_str(&format!("[{}]({})", entities(name), entities(target)));
            }
            _ => out.push_str(&entities(target)),
        }
    }
}

fn entities(text: &str) -> String {
    if !text.contains('&') {
        return text.to_owned();
    }
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_and_links_are_written_for_people() {
        let users = HashMap::from([("U1".to_owned(), "Anna".to_owned())]);
        let channels = HashMap::from([("C2".to_owned(), "random".to_owned())]);
        for (text, expected) in [
            ("<@U1> and <@U2|ben> and <@U3>", "@Anna and @ben and @U3"),
            ("<#C1|general> <#C2> <#C2|>", "#general #random #random"),
            ("<!here> <!subteam^S1|@team>", "@here @team"),
            (
                "<https://a.b|see> <https://a.b> <mailto:a@b|a@b>",
                "[see](https://a.b) https://a.b [a@b](mailto:a@b)",
            ),
            (
                "a &lt; b &amp;&amp; c &gt; d &amp;lt;",
                "a < b && c > d &lt;",
            ),
            ("1 < 2", "1 < 2"),
        ] {
            assert_eq!(to_markdown(text, &users, &channels), expected, "{text}");
        }
    }
}
