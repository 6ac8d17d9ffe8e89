/** TikTok's rules for commercial content: the switch, its two boxes, the label and what the publisher agrees to. */

import { fill, h, newId } from "./dom.js";

const MUSIC = ["Music Usage Confirmation", "https://www.tiktok.com/legal/page/global/music-usage-confirmation/en"];
const BRANDED = ["Branded Content Policy", "https://www.tiktok.com/legal/page/global/bc-policy/en"];

/** TikTok's words, which its audit looks for. */
export const INDICATE = "You need to indicate if your content promotes yourself, a third party, or both.";
export const NOT_PRIVATE = "Branded content visibility cannot be set to private.";

/**
 * The fieldset. `value()` tells what is chosen: {on, brand, branded}; `setPrivate(true)` while only the creator may
 * watch, which branded content does not go with. `onChange` is called after each change.
 */
export function disclosure(onChange) {
  const toggle = box(
    "Disclose commercial content",
    "Turn it on when the post promotes goods or services in return for something of value.",
  );
  const brand = box("Your brand", "You promote yourself or your own business.");
  const branded = box("Branded content", "You promote another brand or a third party.");
  const why = h("p.hint", { id: newId("why"), hidden: true }, `${NOT_PRIVATE} Choose who can watch first.`);
  branded.input.setAttribute("aria-describedby", `${branded.input.getAttribute("aria-describedby")} ${why.id}`);
  const boxes = h(
    "fieldset.indent",
    { hidden: true },
    h("legend", "What does it promote?"),
    brand.line,
    branded.line,
    why,
  );
  const prompt = h("p.panel.calm", { role: "status", hidden: true });
  const value = () => ({
    on: toggle.input.checked,
    brand: toggle.input.checked && brand.input.checked,
    branded: toggle.input.checked && branded.input.checked,
  });
  const show = () => {
    const chosen = value();
    boxes.hidden = !chosen.on;
    prompt.textContent = chosen.branded
      ? "Your photo/video will be labeled as 'Paid partnership'"
      : chosen.brand
        ? "Your photo/video will be labeled as 'Promotional content'"
        : "";
    prompt.hidden = !prompt.textContent;
  };
  for (const { input } of [toggle, brand, branded]) {
    input.addEventListener("change", () => {
      show();
      onChange();
    });
  }
  const setPrivate = (isPrivate) => {
    if (isPrivate) branded.input.checked = false; // it may have been chosen before, and be hidden since
    show();
    branded.input.disabled = isPrivate;
    branded.line.title = isPrivate ? NOT_PRIVATE : "";
    branded.line.classList.toggle("off", isPrivate);
    why.hidden = !isPrivate;
  };
  return { element: h("fieldset", h("legend", "Commercial content"), toggle.line, boxes, prompt), value, setPrivate };
}

/** A checkbox with an explanation. */
export function box(label, means = "") {
  const input = h("input", { type: "checkbox", id: newId("box") });
  const hint = h("p.hint", { id: newId("hint") }, means);
  input.setAttribute("aria-describedby", hint.id);
  return { input, hint, line: h("div.check", input, h("div", h("label", { for: input.id }, label), hint)) };
}

/** The line before the button: what the publisher agrees to. */
export function consent(place, { branded }) {
  const link = ([words, url]) => h("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, words);
  if (branded) fill(place, "By posting, you agree to TikTok's ", link(BRANDED), " and ", link(MUSIC), ".");
  else fill(place, "By posting, you agree to TikTok's ", link(MUSIC));
}
