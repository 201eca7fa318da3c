use super::*;

#[test]
fn a_message_of_a_guest_cannot_control_the_terminal() {
    let message = "\u{1b}[2Jgrün\u{202e}\r\nline";
    let shown = "\\u{1b}[2Jgrün\\u{202e}\nline";
    let returned = Fault::Transform {
        code: "invalid-input".to_owned(),
        message: message.to_owned(),
    };
    assert_eq!(returned.to_string(), format!("invalid-input: {shown}"));
    let trapped = Fault::Trapped {
        trap: "unreachable".to_owned(),
        message: Some(message.to_owned()),
    };
    assert_eq!(
        trapped.to_string(),
        format!("crashed: unreachable: {shown}")
    );
}
