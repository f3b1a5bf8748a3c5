// The page's colours: those of the system, or the reader's choice, which is remembered where the browser allows it.
{
  const root = document.documentElement;
  const choice = document.getElementById("theme");
  const memory = {
    get: () => { try { return localStorage.getItem("biascam-theme") ?? ""; } catch { return ""; } },
    set: (value) => { try { localStorage.setItem("biascam-theme", value); } catch { /* not remembered */ } },
  };
  const show = (theme) => { if (theme) root.dataset.theme = theme; else delete root.dataset.theme; };
  choice.value = memory.get();
  show(choice.value);
  choice.addEventListener("change", () => { show(choice.value); memory.set(choice.value); });

  // The contents say which section is being read.
  const links = new Map([...document.querySelectorAll(".contents a")].map((link) => [link.hash.slice(1), link]));
  const seen = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      if (!isIntersecting) continue;
      for (const link of links.values()) link.removeAttribute("aria-current");
      links.get(target.id).setAttribute("aria-current", "true");
    }
  }, { rootMargin: "-20% 0px -75% 0px" });
  for (const id of links.keys()) {
    const section = document.getElementById(id);
    if (section) seen.observe(section);
  }
}
