//! Estimates tokens from the characters of a text.
//!
//! A guest has no tokenizer: the tables of OpenAI's are 1 to 4 MB each, several times the size of a transform that
//! could use them, and those of other providers are not public. So each character has a weight by its script. The
//! weights are rather too large than too small for prose: a part that is smaller than it could be costs little, and a
//! request that is too large fails.

/// The weight of one token.
pub const TOKEN: usize = 100;

/// Returns the weight of a character in hundredths of a token.
///
/// The weights add up, so a text can be cut anywhere by their sum.
pub fn weight(character: char) -> usize {
    match character {
        // Five letters with the blank before them are a token; most words of English have one.
        'a'..='z' | ' ' => 25,
        'A'..='Z' => 32,
        '0'..='9' => 45,
        '\n' => 50,
        '\0'..='\u{7f}' => 55,
        // Letters of Latin with marks break a word.
        '\u{80}'..='\u{24f}' | '\u{1e00}'..='\u{1eff}' => 85,
        // Greek, Cyrillic, Armenian, Hebrew, Arabic.
        '\u{370}'..='\u{3ff}' => 85,
        '\u{400}'..='\u{52f}' => 45,
        '\u{530}'..='\u{7ff}' => 65,
        // The scripts of India and South-East Asia.
        '\u{900}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' => 90,
        // Hangul, Kana, Han.
        '\u{1100}'..='\u{11ff}' | '\u{ac00}'..='\u{d7af}' => 110,
        '\u{3000}'..='\u{30ff}' => 95,
        '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' => 125,
        // Punctuation such as quotes and dashes.
        '\u{2000}'..='\u{206f}' | '\u{ff00}'..='\u{ffef}' => 100,
        // A character that no table has is as many tokens as bytes.
        _ => character.len_utf8() * 85,
    }
}

/// Estimates the tokens of a text, rounded up.
pub fn estimate(text: &str) -> usize {
    text.chars().map(weight).sum::<usize>().div_ceil(TOKEN)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Texts of several scripts and kinds, with the name of each.
    const TEXTS: [(&str, &str); 13] = [
        (
            "English",
            "The committee met on Tuesday to discuss the budget for the coming year. Most members agreed that the library needs a new roof before winter, but nobody could say how much it would cost.",
        ),
        (
            "German",
            "Der Ausschuss traf sich am Dienstag, um über den Haushalt des kommenden Jahres zu sprechen. Die meisten Mitglieder fanden, dass die Bücherei vor dem Winter ein neues Dach braucht.",
        ),
        (
            "French",
            "Le comité s'est réuni mardi pour discuter du budget de l'année à venir. La plupart des membres étaient d'avis que la bibliothèque a besoin d'un nouveau toit avant l'hiver.",
        ),
        (
            "Spanish",
            "El comité se reunió el martes para hablar del presupuesto del próximo año. Casi todos opinaron que la biblioteca necesita un tejado nuevo antes del invierno.",
        ),
        (
            "Russian",
            "Комитет собрался во вторник, чтобы обсудить бюджет на следующий год. Большинство членов согласились, что библиотеке нужна новая крыша до зимы.",
        ),
        (
            "Greek",
            "Η επιτροπή συνεδρίασε την Τρίτη για να συζητήσει τον προϋπολογισμό του επόμενου έτους. Η βιβλιοθήκη χρειάζεται νέα στέγη.",
        ),
        (
            "Chinese",
            "委员会星期二开会讨论明年的预算。大多数成员认为图书馆在冬天之前需要一个新的屋顶，但没有人知道要花多少钱。",
        ),
        (
            "Japanese",
            "委員会は火曜日に集まり、来年の予算について話し合いました。図書館には冬の前に新しい屋根が必要だという意見が多かったです。",
        ),
        (
            "Korean",
            "위원회는 화요일에 모여 내년 예산을 논의했다. 대부분의 위원은 겨울이 오기 전에 도서관에 새 지붕이 필요하다고 말했다.",
        ),
        (
            "Arabic",
            "اجتمعت اللجنة يوم الثلاثاء لمناقشة ميزانية العام المقبل. اتفق معظم الأعضاء على أن المكتبة تحتاج إلى سقف جديد قبل الشتاء.",
        ),
        (
            "Hindi",
            "समिति की बैठक मंगलवार को अगले वर्ष के बजट पर चर्चा के लिए हुई। अधिकांश सदस्यों ने कहा कि पुस्तकालय को सर्दियों से पहले नई छत चाहिए।",
        ),
        (
            "code",
            "fn total(items: &[Item]) -> u64 {\n    items.iter().map(|item| item.price * u64::from(item.count)).sum()\n}\n",
        ),
        (
            "table",
            "| date | product | price |\n| --- | --- | --- |\n| 2026-01-03 | kettle | 39.90 |\n| 2026-01-04 | lamp | 12.50 |\n",
        ),
    ];

    /// The estimate is for any model, so it is compared with the newer and the older tokenizer of OpenAI. Run it with
    /// `--nocapture` to see the figures of `docs/transforms.md`.
    #[test]
    fn prose_is_rarely_underestimated_and_never_by_much() {
        let (new, old) = (
            tiktoken_rs::o200k_base_singleton(),
            tiktoken_rs::cl100k_base_singleton(),
        );
        for (name, text) in TEXTS {
            let found = estimate(text);
            let (new, old) = (new.count_ordinary(text), old.count_ordinary(text));
            let error = |count: usize| found as f64 / count as f64;
            eprintln!(
                "{name}: {found}, {:.2} of o200k, {:.2} of cl100k",
                error(new),
                error(old)
            );
            assert!(
                (0.9..=2.8).contains(&error(new)),
                "{name}: {found} for {new}"
            );
            assert!(
                (0.75..=1.8).contains(&error(old)),
                "{name}: {found} for {old}"
            );
        }
    }

    #[test]
    fn an_estimate_is_the_sum_of_its_characters_rounded_up() {
        assert_eq!(estimate(""), 0);
        assert_eq!(estimate("a"), 1);
        assert_eq!(estimate("abcdefgh"), 2);
        assert_eq!(estimate("\u{1f600}"), 4);
    }
}
