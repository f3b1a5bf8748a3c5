//! Names of columns: of those of the images, and in a list that commas separate.

/// What the column of the images' names is called where nothing says otherwise.
pub(in crate::sources) const IMAGE_COLUMN: &str = "image";

/// Whether a column is called as those of the images' names often are, in any case and with blanks or hyphens for `_`.
pub fn is_image_column(name: &str) -> bool {
    const NAMES: [&str; 19] = [
        IMAGE_COLUMN,
        "image_id",
        "image_name",
        "image_path",
        "image_file",
        "images",
        "filename",
        "file_name",
        "file",
        "filepath",
        "file_path",
        "path",
        "img",
        "img_id",
        "img_name",
        "img_path",
        "name",
        "photo",
        "picture",
    ];
    let name = name.trim().to_lowercase().replace([' ', '-'], "_");
    NAMES.contains(&name.as_str())
}

/// The names of a list that was cut at its commas, where some of the `known` names have commas themselves: pieces that are no name are
/// put together with the next ones as far as they are one. Pieces that belong to no name stay as they are.
///
/// ```
/// let known = ["yes, no".to_owned(), "b".to_owned()];
/// let pieces: Vec<String> = "b,yes, no".split(',').map(str::to_owned).collect();
/// assert_eq!(dataset::whole_names(&pieces, &known), ["b", "yes, no"]);
/// ```
pub fn whole_names(pieces: &[String], known: &[String]) -> Vec<String> {
    let mut names = Vec::with_capacity(pieces.len());
    let mut rest = pieces;
    while let Some((piece, others)) = rest.split_first() {
        let joined = (1..=rest.len()).find_map(|length| {
            let (first, others) = rest.split_at_checked(length)?;
            let name = first.join(",");
            known.contains(&name).then_some((name, others))
        });
        let (name, others) = joined.unwrap_or_else(|| (piece.clone(), others));
        names.push(name);
        rest = others;
    }
    names
}
