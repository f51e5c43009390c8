(() => {
  "use strict";
  const form = document.getElementById("filter"), told = document.getElementById("told");
  const list = document.querySelector("#list tbody");
  const rows = list ? Array.from(list.rows) : [], kinds = Array.from(document.querySelectorAll(".risk"));
  const text = (row, cell) => row.cells[cell].textContent.trim();
  const read = () => rows.map((row, place) => ({
    row, place, theme: row.dataset.theme, team: text(row, 4), severity: text(row, 0).split(" ").pop(),
    over: Number(text(row, 6)), due: text(row, 5), who: text(row, 2), words: row.textContent.toLowerCase(),
  }));
  let known = null;
  const orders = {
    "": (a, b) => a.place - b.place,
    over: (a, b) => b.over - a.over || a.place - b.place,
    due: (a, b) => a.due.localeCompare(b.due) || a.place - b.place,
    team: (a, b) => a.team.localeCompare(b.team) || a.place - b.place,
    who: (a, b) => a.who.localeCompare(b.who, "en", { numeric: true }) || a.place - b.place,
  };
  let order = "";
  const value = (name) => (form.elements[name] ? form.elements[name].value : "");
  const apply = () => {
    const theme = value("theme"), team = value("team"), severity = value("severity"), words = value("words").trim().toLowerCase();
    known = known || read();
    let shown = 0;
    for (const one of known) {
      const hide = (theme && one.theme !== theme) || (team && one.team !== team) || (severity && one.severity !== severity) || (words && !one.words.includes(words));
      one.row.hidden = Boolean(hide);
      shown += hide ? 0 : 1;
    }
    let risks = 0;
    for (const kind of kinds) {
      kind.hidden = Boolean(theme && kind.dataset.theme !== theme);
      risks += kind.hidden ? 0 : 1;
    }
    if (value("sort") !== order) {
      order = value("sort");
      list.append(...known.slice().sort(orders[order]).map((one) => one.row));
    }
    told.textContent = `${risks} of ${kinds.length} kinds of risk` + (list ? `, ${shown} of ${rows.length} breaches` : "");
  };
  const open = () => {
    const at = location.hash.length > 1 ? document.getElementById(decodeURIComponent(location.hash.slice(1))) : null;
    if (!at) return;
    if (at.hidden) { form.reset(); apply(); }
    const inside = at.querySelector("details");
    if (inside && at.tagName === "TR") inside.open = true;
    for (let up = at; up; up = up.parentElement) if (up.tagName === "DETAILS") up.open = true;
    at.scrollIntoView();
  };
  // The law is on the page once a rule; an opened breach shows it where it is read.
  const law = (event) => {
    const row = event.target.closest("#list tr"), seen = event.target.querySelector(".law");
    if (!row || !event.target.open || seen) return;
    const name = row.cells[1].textContent.trim(), told = document.getElementById(`rule-${name}`);
    if (!told) return;
    const copy = document.createElement("p");
    copy.className = "law";
    copy.append(...Array.from(told.nextElementSibling.cloneNode(true).childNodes));
    event.target.append(copy);
  };
  if (list) list.addEventListener("toggle", law, true);
  form.addEventListener("input", apply);
  form.addEventListener("reset", () => setTimeout(apply));
  form.addEventListener("submit", (event) => event.preventDefault());
  addEventListener("hashchange", open);
  form.hidden = false;
  told.textContent = `${kinds.length} kinds of risk` + (list ? `, ${rows.length} breaches` : "");
  open();
})();
