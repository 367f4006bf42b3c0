//! The shape of files: headers, lengths, words that have no place here.
//! It never judges style beyond what the house rules fix in numbers.

use crate::{files, read, root};

/// A file that fits a sitting, tests apart.
const FILE_LINES_MAX: usize = 400;
/// A function that fits a screen.
const FUNCTION_LINES_MAX: usize = 70;
/// Names that say nothing.
const EMPTY_NAMES: &[&str] = &["manager", "service", "helper", "helpers", "util", "utils", "common", "misc"];

#[test]
fn every_source_file_says_what_it_does() {
    let silent: Vec<_> = files(&root(), "rs").into_iter().filter(|path| !read(path).starts_with("//!")).collect();
    assert!(silent.is_empty(), "no `//!` line at the top: {silent:?}");
}

#[test]
fn every_source_file_fits_a_sitting_and_every_function_a_screen() {
    let mut long = Vec::new();
    for path in files(&root(), "rs") {
        let text = read(&path);
        let product = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        let lines = product.lines().count();
        let is_test = path.file_name().is_some_and(|name| name.to_string_lossy().contains("test"))
            || path.starts_with(root().join("tests"));
        if lines > FILE_LINES_MAX && !is_test {
            long.push(format!("{}: {lines} lines", path.display()));
        }
        long.extend(long_functions(&text).into_iter().map(|name| format!("{}: {name}", path.display())));
    }
    assert!(long.is_empty(), "too long:\n{}", long.join("\n"));
}

/// Functions over the bound: from the line that opens one to the brace that closes it at the same indent.
fn long_functions(text: &str) -> Vec<String> {
    let mut long = Vec::new();
    let mut open: Option<(usize, String, String)> = None;
    for (at, line) in text.lines().enumerate() {
        let code = line.trim_start();
        let indent = line[..line.len() - code.len()].to_owned();
        let words = code.split("fn ").next().unwrap_or_default();
        let starts = code.contains("fn ")
            && words.split_whitespace().all(|w| {
                w.starts_with("pub") || matches!(w, "const" | "async" | "unsafe" | "in" | "crate)" | "super)")
            })
            && !code.ends_with(';');
        if starts {
            let name =
                code.split("fn ").nth(1).and_then(|rest| rest.split(['(', '<']).next()).unwrap_or_default().to_owned();
            open = Some((at, indent, name));
        } else if let Some((from, at_indent, name)) = &open
            && code == "}"
            && indent == *at_indent
        {
            if at - from > FUNCTION_LINES_MAX {
                long.push(format!("{name} ({} lines)", at - from + 1));
            }
            open = None;
        }
    }
    long
}

#[test]
fn no_file_has_a_name_that_says_nothing() {
    let empty: Vec<_> = files(&root(), "rs")
        .into_iter()
        .filter(|path| path.file_stem().is_some_and(|stem| EMPTY_NAMES.contains(&&*stem.to_string_lossy())))
        .collect();
    assert!(empty.is_empty(), "{empty:?}");
}

#[test]
fn nothing_is_left_for_later_in_the_code() {
    let words = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("todo", "!("), concat!("unimplemented", "!(")];
    let mut left = Vec::new();
    for path in files(&root(), "rs") {
        let text = read(&path);
        left.extend(
            words.iter().filter(|word| text.contains(**word)).map(|word| format!("{}: {word}", path.display())),
        );
    }
    assert!(left.is_empty(), "{left:?}");
}
