//! The pieces of a JSON text, in order: one pass, no recursion.

/// A piece. Commas and colons are not told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    /// `{`
    Object,
    /// `[`
    List,
    /// `}` or `]`
    Close,
    /// The name of a field, with its quotes.
    Key(&'a str),
    /// A string with its quotes, a number, or a word.
    Scalar(&'a str),
}

/// Reads a text that is known to be JSON. Of another one it gives some pieces, and ends.
#[derive(Clone, Debug)]
pub(crate) struct Tokens<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Tokens<'a> {
    /// Of a JSON text.
    pub fn of(text: &'a str) -> Tokens<'a> {
        Tokens { text, at: 0 }
    }

    /// The text of the list or object that was opened last, which is passed over.
    pub fn whole(&mut self) -> &'a str {
        let start = self.at - 1;
        let mut open = 1_usize;
        while open > 0 {
            match self.next() {
                Some(Token::Object | Token::List) => open += 1,
                Some(Token::Close) => open -= 1,
                Some(_) => (),
                None => break,
            }
        }
        &self.text[start..self.at]
    }

    fn skip(&mut self, skipped: &[u8]) {
        let rest = &self.text.as_bytes()[self.at..];
        self.at += rest.iter().position(|byte| !skipped.contains(byte)).unwrap_or(rest.len());
    }

    /// A string that starts here.
    fn string(&mut self) -> Token<'a> {
        let start = self.at;
        self.at += 1;
        let bytes = self.text.as_bytes();
        while let Some(&byte) = bytes.get(self.at) {
            self.at += if byte == b'\\' { 2 } else { 1 };
            if byte == b'"' {
                break;
            }
        }
        self.at = self.at.min(bytes.len());
        let string = &self.text[start..self.at];
        self.skip(b" \n\r\t");
        if bytes.get(self.at) == Some(&b':') { Token::Key(string) } else { Token::Scalar(string) }
    }

    /// A number or a word that starts here.
    fn bare(&mut self) -> Token<'a> {
        let rest = &self.text[self.at..];
        let length = rest.find([',', ']', '}', ' ', '\n', '\r', '\t']).unwrap_or(rest.len());
        self.at += length;
        Token::Scalar(&rest[..length])
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        self.skip(b" \n\r\t,:");
        let token = match self.text.as_bytes().get(self.at)? {
            b'"' => return Some(self.string()),
            b'{' => Token::Object,
            b'[' => Token::List,
            b'}' | b']' => Token::Close,
            _ => return Some(self.bare()),
        };
        self.at += 1;
        Some(token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_falls_into_its_pieces() {
        let text = r#" {"a\"b" : [1.0e5,null , "x:\\"], "c":{}} "#;
        let expected = [
            Token::Object,
            Token::Key(r#""a\"b""#),
            Token::List,
            Token::Scalar("1.0e5"),
            Token::Scalar("null"),
            Token::Scalar(r#""x:\\""#),
            Token::Close,
            Token::Key(r#""c""#),
            Token::Object,
            Token::Close,
            Token::Close,
        ];
        assert_eq!(Tokens::of(text).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn what_was_opened_can_be_taken_as_a_whole() {
        let mut tokens = Tokens::of(r#"[{"a":[1,{}]} , 2]"#);
        tokens.next();
        tokens.next();
        assert_eq!(tokens.whole(), r#"{"a":[1,{}]}"#);
        assert_eq!(tokens.next(), Some(Token::Scalar("2")));
    }

    #[test]
    fn a_text_that_is_no_json_ends_too() {
        for text in [r#""\"#, r#"{"a"#, "]", "é\\", r#""é\"#, "\\\"é"] {
            assert!(Tokens::of(text).count() < 4, "{text}");
        }
    }
}
