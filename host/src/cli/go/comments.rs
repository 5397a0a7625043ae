//! What comments of a program in Go say about its functions, types and fields.

/// By their names, fields as `Type.Field`; under the empty name what the package does.
pub(super) fn of(source: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut comment: Vec<&str> = Vec::new();
    let mut within: Option<&str> = None;
    for line in source.lines() {
        let text = line.trim();
        if let Some(said) = text.strip_prefix("//") {
            // `//go:…` is for the compiler.
            if said.starts_with(' ') || said.is_empty() {
                comment.push(said.trim());
            }
            continue;
        }
        let said = std::mem::take(&mut comment).join("\n").trim().to_owned();
        let mut note = |name: String| found.extend((!said.is_empty()).then(|| (name, said.clone())));
        if let Some(of) = within {
            match word(text) {
                "" if text == "}" => within = None,
                field if field.starts_with(char::is_uppercase) => note(format!("{of}.{field}")),
                _ => (),
            }
        } else if line.starts_with("package ") {
            note(String::new());
        } else if let Some(rest) = line.strip_prefix("func ") {
            // A method has its receiver there, and no name.
            let name = word(rest);
            if !name.is_empty() {
                note(name.to_owned());
            }
        } else if let Some(rest) = line.strip_prefix("type ") {
            let name = word(rest);
            note(name.to_owned());
            within = (rest.contains("struct") && rest.ends_with('{')).then_some(name);
        }
    }
    found
}

/// The name that a text begins with.
fn word(text: &str) -> &str {
    &text[..text.find(|it: char| !it.is_alphanumeric() && it != '_').unwrap_or(text.len())]
}

#[cfg(test)]
mod tests {
    #[test]
    fn functions_types_fields_and_the_package_are_described() {
        let source = "//go:build wasip1\n\n// Serves tea.\n//\n// Hot.\npackage main\n\n// Lost.\n\n// Order is what\n// somebody wants.\ntype Order struct {\n\twf.Start\n\t// Which \"sort\".\n\tSort string `json:\"sort\"`\n\tcount int\n}\n\n// Brew brews.\nfunc brew(c *wf.Context, o Order) error {\n\t// not this\n\treturn nil\n}\n\n// Not a step.\nfunc (o Order) it() {}\n\n// One is short.\ntype One struct{}\n\nfunc bare() {}\n";
        let found: Vec<String> = super::of(source).into_iter().map(|(name, text)| format!("{name}: {text:?}")).collect();
        let expected = [
            r#": "Serves tea.\n\nHot.""#,
            r#"Order: "Order is what\nsomebody wants.""#,
            r#"Order.Sort: "Which \"sort\".""#,
            r#"brew: "Brew brews.""#,
            r#"One: "One is short.""#,
        ];
        assert_eq!(found, expected);
    }
}
