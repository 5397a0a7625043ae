//! Text of others on somebody's terminal: it shows what it says, and moves, hides or copies nothing.

use std::borrow::Cow;

/// A text in which control characters stand as what they are, but for those that end lines and part columns.
pub(super) fn plain(text: &str) -> Cow<'_, str> {
    let acts = |it: char| it.is_control() && !matches!(it, '\n' | '\t');
    if !text.contains(acts) {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len() + 16);
    for it in text.chars() {
        if acts(it) {
            plain.extend(it.escape_default());
        } else {
            plain.push(it);
        }
    }
    Cow::Owned(plain)
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn what_a_terminal_would_act_on_is_shown() {
        assert_eq!(plain("a\tb\nç"), "a\tb\nç");
        assert_eq!(plain("a\u{1b}[2Jb\rc\u{9b}d\u{7}\u{7f}"), "a\\u{1b}[2Jb\\rc\\u{9b}d\\u{7}\\u{7f}");
    }
}
