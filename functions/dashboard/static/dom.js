/** Building pages: elements, text, times, dialogs. Text becomes text nodes only, so that no name or caption is markup. */

const SAFE_LINK = /^(https?:|blob:|[/#?])/i;
const SVG = "http://www.w3.org/2000/svg";
const SVG_TAGS = new Set(["svg", "g", "path", "line", "polyline", "circle", "rect", "text", "title"]);

/**
 * Make an element: h("button.primary", {onclick}, "Save"). Properties that begin with `on` are listeners, `true` is an
 * attribute without a value, null and false are left out; so are children that are null or false.
 */
export function h(name, ...rest) {
  const [tag, ...classes] = name.split(".");
  const inSvg = SVG_TAGS.has(tag) && tag !== "title";
  const element = inSvg ? document.createElementNS(SVG, tag) : document.createElement(tag);
  if (classes.length) element.setAttribute("class", classes.join(" "));
  const properties = isProperties(rest[0]) ? rest.shift() : {};
  for (const [key, value] of Object.entries(properties)) set(element, key, value);
  append(element, rest);
  return element;
}

/** Put children in place of all that is in an element. */
export function fill(element, ...children) {
  element.replaceChildren();
  append(element, children);
  return element;
}

function isProperties(value) {
  return value !== null && typeof value === "object" && !Array.isArray(value) && !(value instanceof Node);
}

function set(element, key, value) {
  if (value === null || value === undefined || value === false) return;
  if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
  else if (key === "value" || key === "checked" || key === "indeterminate") element[key] = value;
  else if ((key === "href" || key === "src") && !SAFE_LINK.test(value)) element.dataset.refused = key;
  else element.setAttribute(key, value === true ? "" : value);
}

function append(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : String(child));
  }
}

let lastId = 0;

/** Return an id that no other element has. */
export function newId(prefix = "e") {
  lastId += 1;
  return `${prefix}-${lastId}`;
}

/** A labelled control with an optional hint; `control` is an input, select or textarea. */
export function field(label, control, { hint, error } = {}) {
  control.id ||= newId("field");
  const notes = [];
  if (hint) notes.push(h("p.hint", { id: newId("hint") }, hint));
  const wrong = h("p.error", { id: newId("error"), hidden: !error }, error ?? "");
  control.setAttribute("aria-describedby", [...notes, wrong].map((note) => note.id).join(" "));
  return h("div.field", h("label", { for: control.id }, label), control, ...notes, wrong);
}

/** Show what is wrong with a control of `field`, or nothing. */
export function setError(control, text) {
  const wrong = control.closest(".field").querySelector(".error");
  wrong.textContent = text ?? "";
  wrong.hidden = !text;
  control.setAttribute("aria-invalid", text ? "true" : "false");
}

const WHEN = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const AGO = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const STEPS = [
  ["day", 86400],
  ["hour", 3600],
  ["minute", 60],
];

/** Return how far a moment is away, in words: "in 5 minutes". */
export function away(iso, now = Date.now()) {
  const seconds = (Date.parse(iso) - now) / 1000;
  const [unit, size] = STEPS.find(([, least]) => Math.abs(seconds) >= least) ?? ["second", 1];
  return unit === "second" ? (seconds > 0 ? "in a moment" : "just now") : AGO.format(Math.round(seconds / size), unit);
}

/** Return a moment as the browser's language and zone write it. */
export function when(iso) {
  return iso ? WHEN.format(new Date(iso)) : "";
}

/** A time element: the moment, with how far away it is. */
export function time(iso, { relative = true } = {}) {
  if (!iso) return h("span", "–");
  return h("time", { datetime: iso, title: iso }, relative ? `${when(iso)} (${away(iso)})` : when(iso));
}

/** Write a count with separators; "–" when there is none. */
export function count(number) {
  return number === null || number === undefined ? "–" : new Intl.NumberFormat().format(number);
}

/** Write bytes for a person. */
export function bytes(number) {
  const units = ["B", "KB", "MB", "GB"];
  let step = 0;
  while (number >= 1000 && step < units.length - 1) {
    number /= 1000;
    step += 1;
  }
  return `${number.toFixed(step && number < 10 ? 1 : 0)} ${units[step]}`;
}

/** Tell something once, for the eyes and for screen readers. */
export function toast(text, { bad = false } = {}) {
  const shown = h(bad ? "p.toast.bad" : "p.toast", text);
  document.getElementById("toasts").append(shown);
  setTimeout(() => shown.remove(), 6000);
}

/** A button that copies a text; `label` says which, where `shown` is all that is seen. */
export function copyButton(label, text, shown = "Copy") {
  return h("button.quiet", { type: "button", "aria-label": label, onclick: () => copy(label, text) }, shown);
}

async function copy(label, text) {
  try {
    await navigator.clipboard.writeText(text);
    toast(`Copied: ${text}`);
  } catch {
    // Clipboards are closed to pages without https; then a person can at least select it.
    await ask({ title: label, body: h("p", h("code.selectable", text)), confirm: "Close", cancel: null });
  }
}

/**
 * Ask in a dialog that holds the focus; resolves to true when confirmed, false when cancelled or closed with Escape.
 * `body` is an element or a text. With `confirm` null there is only the way back.
 */
export function ask({ title, body, confirm = "OK", cancel = "Cancel", danger = false }) {
  const heading = h("h2", { id: newId("dialog") }, title);
  const yes = h(danger ? "button.danger" : "button.primary", { value: "yes" }, confirm);
  const no = cancel && h("button.quiet", { value: "no", autofocus: danger }, cancel);
  const dialog = h(
    "dialog",
    { "aria-labelledby": heading.id },
    h(
      "form",
      { method: "dialog" },
      heading,
      body instanceof Node ? body : h("p", body),
      h("div.actions", no, confirm && yes),
    ),
  );
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
  });
}

/** Grey bars where something will be. */
export function skeleton(rows = 3) {
  return h(
    "div.skeletons",
    { role: "status", "aria-label": "Loading" },
    Array.from({ length: rows }, () => h("div.skeleton", { "aria-hidden": "true" })),
  );
}

/** What stands where nothing is yet: what it would be, and what to do next. */
export function empty(title, text, ...actions) {
  return h("section.empty", h("h2", title), h("p", text), actions.length > 0 && h("div.actions", actions));
}

/** A picture of a person that may be missing or refuse to load: then the first letter of the name. */
export function avatar(url, name) {
  const letter = h("span.avatar", { "aria-hidden": "true" }, [...(name || "?")][0].toUpperCase());
  if (!url) return letter;
  const picture = h("img.avatar", { src: url, alt: "", width: 48, height: 48, referrerpolicy: "no-referrer" });
  picture.addEventListener("error", () => picture.replaceWith(letter));
  return picture;
}
