//! Words of many scripts.

use super::*;

/// A text, a query, and whether the query finds it.
const CASES: [(&str, &str, bool); 34] = [
    ("Das Café am Straßenrand", "cafe", true),
    ("Das Cafe\u{301} am Rand", "café", true),
    ("naïve façade", "naive facade", true),
    ("Donaudampfschifffahrt", "donaudampf*", true),
    ("Donaudampfschifffahrt", "donaudampf", false),
    ("ÜBERGRÖSSE", "übergrösse", true),
    ("今天我们去北京大学学习中文。", "北京", true),
    ("今天我们去北京大学学习中文。", "京", true),
    ("今天我们去北京大学学习中文。", "北京大学", true),
    ("今天我们去北京大学学习中文。", "京北", false),
    ("今天我们去北京大学学习中文。", "东京", false),
    ("今天我们去北京大学学习中文。", "学习 北京", true),
    ("今天我们去北京大学学习中文。", "文", true),
    ("今天我们去北京大学学习中文。", "天大", false),
    ("東京都に行きました。カタカナも。", "東京都", true),
    ("東京都に行きました。カタカナも。", "都", true),
    ("東京都に行きました。カタカナも。", "京都", true),
    ("東京都に行きました。カタカナも。", "行きました", true),
    ("東京都に行きました。カタカナも。", "カタカナ", true),
    ("東京都に行きました。カタカナも。", "大阪", false),
    ("2024年度の予算", "2024年", true),
    ("2024年度の予算", "2024年度", true),
    ("2024年度の予算", "年度 -予算", false),
    ("서울에서 만나요", "서울", true),
    ("서울에서 만나요", "만나", true),
    ("서울에서 만나요", "부산", false),
    ("ภาษาไทยง่ายมาก", "ไทย", true),
    ("ภาษาไทยง่ายมาก", "ง่าย", true),
    ("release 🎉 party", "🎉", true),
    ("release🎉party", "party", true),
    ("fn parse_file_name() -> u8", "parse_file_name", true),
    ("fn parse_file_name() -> u8", "file_name", true),
    ("fn parse_file_name() -> u8", "file", true),
    ("हिन्दी में लिखा", "हिन्दी", true),
];

#[test]
fn words_of_every_script_are_found() {
    for (content, query, is_found) in CASES {
        let project = Project::new();
        project.notes(&[("x", content), ("y", "something else")]);
        let expected: &[&str] = if is_found { &["x"] } else { &[] };
        assert_eq!(project.labels(query), expected, "{query} in {content}");
    }
}

#[test]
fn the_passage_marks_what_was_searched() {
    let project = Project::new();
    project.notes(&[("x", "昨日は東京都に行きました。")]);
    let answer = project.answer(&search("東京都"), None);
    let marked: Vec<&(String, bool)> = answer.results[0]
        .snippet
        .pieces
        .iter()
        .filter(|piece| piece.1)
        .collect();
    assert_eq!(marked, [&("東京都".to_owned(), true)]);
}
