//! The drawings of a run, whatever they are.

use crate::drawing::export::Figure;
use crate::html::escape;
use crate::text::readable;

/// Drawings are put into a page until it has this many bytes; what follows is linked instead.
pub(super) const INLINE_LIMIT: usize = 8_000_000;

/// The drawings with captions and links to their files. A page of which `before` bytes are written takes those in that fit below
/// [`INLINE_LIMIT`]; the others are linked, but for those without a file that a page can show.
pub(super) fn render(figures: &[Figure], formats: &[&str], unfiled: &[&str], before: usize) -> String {
    let mut body = String::new();
    for figure in figures {
        let formats = if unfiled.contains(&figure.name()) { &[] } else { formats };
        // A page shows no PDF.
        let shown = ["png", "svg"].into_iter().find(|kind| formats.contains(kind));
        let name = escape(figure.name());
        let title = title(figure.name());
        let fits = before + body.len() + figure.svg().len() <= INLINE_LIMIT;
        let picture = match shown {
            Some(kind) if !fits => format!(
                "<img src=\"figures/{name}.{kind}\" alt=\"{}\" loading=\"lazy\">",
                escape(&title)
            ),
            _ => inline(figure.svg(), figure.name(), &title),
        };
        let links: Vec<String> = formats
            .iter()
            .map(|kind| {
                format!(
                    "<a href=\"figures/{name}.{kind}\" aria-label=\"{} as {kind}\">{kind}</a>",
                    escape(&title)
                )
            })
            .collect();
        let links = links.join(" ");
        body.push_str(&format!(
            "<figure id=\"figure-{name}\">\n<h3>{}</h3>\n<div class=\"drawing\" tabindex=\"0\" role=\"group\" aria-label=\"{}\" \
             style=\"--width: {:.0}mm\">{picture}</div>\n\
             <figcaption>{} <span class=\"links\">{links}</span></figcaption>\n</figure>\n",
            escape(&title),
            escape(&title),
            figure.width(),
            escape(figure.caption())
        ));
    }
    body
}

/// The drawing as part of a page: one picture with a name, and identifiers that no other drawing has.
fn inline(svg: &str, name: &str, title: &str) -> String {
    let own = |text: &str| -> String {
        ["id=\"", "url(#", "href=\"#"]
            .iter()
            .fold(text.to_owned(), |text, &before| {
                text.replace(before, &format!("{before}{name}-"))
            })
    };
    let svg = svg
        .strip_prefix("<?xml")
        .and_then(|rest| Some(rest.split_once("?>")?.1))
        .unwrap_or(svg);
    own(svg).replacen(
        "<svg ",
        &format!("<svg role=\"img\" aria-label=\"{}\" ", escape(title)),
        1,
    )
}

/// A figure's heading: `average_cams` is "Average CAMs".
pub(super) fn title(name: &str) -> String {
    let text = readable(name).replace("cams", "CAMs");
    let mut characters = text.chars();
    characters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_are_words() {
        assert_eq!(["average_cams", "energies"].map(title), ["Average CAMs", "Energies"]);
    }

    #[test]
    fn identifiers_of_two_drawings_do_not_meet() {
        let svg = "<svg xmlns=\"x\"><clipPath id=\"a\"/><g clip-path=\"url(#a)\"/><use xlink:href=\"#a\"/></svg>";
        let own = inline(svg, "one", "One");
        assert_eq!(
            own,
            "<svg role=\"img\" aria-label=\"One\" xmlns=\"x\"><clipPath id=\"one-a\"/><g clip-path=\"url(#one-a)\"/><use \
             xlink:href=\"#one-a\"/></svg>"
        );
    }
}
