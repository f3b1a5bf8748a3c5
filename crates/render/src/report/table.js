// Sorts a table by the column whose heading is pressed; once more reverses. Absent values stay last.
for (const table of document.querySelectorAll("table.sortable")) {
  const headings = [...table.tHead.rows[table.tHead.rows.length - 1].cells];
  const body = table.tBodies[0];
  headings.forEach((heading, column) => {
    heading.querySelector("button").addEventListener("click", () => {
      const numeric = heading.classList.contains("number");
      const before = heading.getAttribute("aria-sort");
      const descending = before ? before === "ascending" : numeric;
      headings.forEach((other) => other.removeAttribute("aria-sort"));
      heading.setAttribute("aria-sort", descending ? "descending" : "ascending");
      const absent = (row) => row.cells[column].classList.contains("absent");
      const compare = (a, b) => {
        if (absent(a) || absent(b)) return absent(a) - absent(b);
        const order = numeric
          ? Number(a.cells[column].dataset.value) - Number(b.cells[column].dataset.value)
          : a.cells[column].textContent.localeCompare(b.cells[column].textContent, "en", { numeric: true });
        return descending ? -order : order;
      };
      body.append(...[...body.rows].sort(compare));
    });
  });
}

// Shows the rows whose texts have all the words of a search field; underscores and capitals do not matter.
for (const field of document.querySelectorAll("input[data-searches]")) {
  const rows = [...document.getElementById(field.dataset.searches).tBodies[0].rows];
  const count = document.getElementById(`${field.dataset.searches}-count`);
  const plain = (text) => text.toLowerCase().replaceAll("_", " ");
  const texts = rows.map((row) => plain([...row.cells].filter((cell) => !cell.classList.contains("number")).map((cell) => cell.textContent).join(" ")));
  field.addEventListener("input", () => {
    const words = plain(field.value).split(/\s+/).filter(Boolean);
    rows.forEach((row, i) => { row.hidden = !words.every((word) => texts[i].includes(word)); });
    count.textContent = `${rows.filter((row) => !row.hidden).length} of ${rows.length} rows`;
  });
}
