/** What is posted: files of this computer or addresses, with a preview. */

import { bytes, field, fill, h, newId } from "./dom.js";

const PICTURE = /\.(jpe?g|png|webp|gif|bmp|tiff?)$/i;
const MOST = 35;

/**
 * The fields. `value()` tells {kind: "video" | "photo" | null, files | urls, size, seconds, problem}: `seconds` is a
 * video's duration once the browser knows it, `problem` what keeps it from being posted.
 */
export function mediaChoice(onChange, signal) {
  let chosen = [];
  let seconds = null;
  const [fromFiles, fromUrls] = ["From this computer", "From the web"].map((label, number) => {
    const input = h("input", { type: "radio", name: "source", id: newId("source"), checked: number === 0 });
    return { input, line: h("div.check", input, h("label", { for: input.id }, label)) };
  });
  const picker = h("input", {
    type: "file",
    multiple: true,
    accept: "video/mp4,video/quicktime,video/webm,.mp4,.mov,.webm,image/*",
  });
  const urls = h("textarea", { placeholder: "https://", spellcheck: "false", autocomplete: "off" });
  const files = field("Video or photos", picker, {
    hint: `One video (MP4, MOV or WebM, up to 4 GB), or 1 to ${MOST} photos.`,
  });
  const addresses = field("Addresses of the video or the photos", urls, { hint: "One in each line." });
  const preview = h("div");
  addresses.hidden = true;
  let shown = [];

  picker.addEventListener("change", () => {
    chosen = [...picker.files];
    show();
  });
  urls.addEventListener("change", show);
  for (const { input } of [fromFiles, fromUrls]) {
    input.addEventListener("change", () => {
      files.hidden = !fromFiles.input.checked;
      addresses.hidden = fromFiles.input.checked;
      show();
    });
  }
  signal.addEventListener("abort", release, { once: true });

  function release() {
    for (const url of shown) URL.revokeObjectURL(url);
    shown = [];
  }

  function lines() {
    return urls.value
      .split("\n")
      .map((line) => line.trim())
      .filter(Boolean);
  }

  function value() {
    const local = fromFiles.input.checked;
    const items = local
      ? chosen.map((file) => [file.name, file.type.startsWith("image/")])
      : lines().map((url) => [url, isPicture(url)]);
    const pictures = items.filter(([, picture]) => picture).length;
    const kind = items.length === 0 ? null : pictures === items.length || items.length > 1 ? "photo" : "video";
    const mixed = items.length > 1 && pictures < items.length && local;
    const problem =
      items.length === 0
        ? "Choose a video or photos."
        : mixed
          ? "A post is one video, or photos alone."
          : items.length > MOST
            ? `A post has at most ${MOST} photos.`
            : local
              ? (chosen.map(unusable).find(Boolean) ?? null)
              : null;
    return {
      kind,
      files: local ? chosen : null,
      urls: local ? null : lines(),
      size: chosen.reduce((sum, file) => sum + file.size, 0),
      seconds: kind === "video" ? seconds : null,
      problem,
    };
  }

  function show() {
    release();
    seconds = null;
    const { kind } = value();
    const wrong = fromFiles.input.checked && chosen.some(unusable);
    if (!kind || wrong) fill(preview);
    else if (kind === "video") fill(preview, video());
    else fill(preview, photos());
    onChange();
  }

  function video() {
    const local = fromFiles.input.checked;
    const source = local ? localUrl(chosen[0]) : lines()[0];
    const film = h("video", { src: source, controls: true, preload: "metadata", "aria-label": "Preview of the video" });
    const note = h("p.hint", { role: "status" }, local ? `${chosen[0].name}, ${bytes(chosen[0].size)}` : "");
    film.addEventListener("loadedmetadata", () => {
      if (Number.isFinite(film.duration)) seconds = film.duration;
      note.textContent = `${local ? `${chosen[0].name}, ${bytes(chosen[0].size)}, ` : ""}${Math.round(film.duration)} seconds`;
      onChange();
    });
    film.addEventListener("error", () => {
      film.hidden = true;
      note.textContent = "Your browser cannot show this video. It is checked when it is published.";
    });
    return h("figure.stack.close", h("div.preview", film), note);
  }

  function photos() {
    const local = fromFiles.input.checked;
    const sources = local ? chosen.map(localUrl) : lines();
    return h(
      "ol.thumbs",
      { "aria-label": "Photos in their order" },
      sources.map((source, number) => {
        const picture = h("img", { src: source, alt: `Photo ${number + 1}`, referrerpolicy: "no-referrer" });
        picture.addEventListener("error", () => picture.replaceWith(h("span.hint", `Photo ${number + 1}: no preview`)));
        return h(
          "li",
          h("div.preview", picture),
          local &&
            h(
              "div.actions.tools",
              number > 0 && tool("Earlier", number, () => move(number, -1)),
              number < sources.length - 1 && tool("Later", number, () => move(number, 1)),
              tool("Remove", number, () => {
                chosen.splice(number, 1);
                show();
              }),
            ),
        );
      }),
    );
  }

  function tool(label, number, work) {
    return h(
      "button.quiet.small",
      { type: "button", "aria-label": `${label}: photo ${number + 1}`, onclick: work },
      label,
    );
  }

  function move(number, step) {
    const [file] = chosen.splice(number, 1);
    chosen.splice(number + step, 0, file);
    show();
    preview.querySelectorAll("li")[number + step]?.querySelector("button")?.focus();
  }

  function localUrl(file) {
    const url = URL.createObjectURL(file);
    shown.push(url);
    return url;
  }

  const element = h(
    "div.stack",
    h("fieldset", h("legend", "Where is it?"), fromFiles.line, fromUrls.line),
    files,
    addresses,
    preview,
  );
  return { element, value };
}

/** Say why a file cannot be posted, as far as its size and its type tell; a type that is not known may be good. */
function unusable({ name, size, type }) {
  if (size === 0) return `${name} is empty.`;
  if (/^image\/hei[cf]/.test(type)) return `${name} is a HEIC photo, which is not taken: save it as JPEG.`;
  return type && !/^(video|image)\//.test(type) ? `${name} is neither a video nor a photo.` : null;
}

function isPicture(url) {
  try {
    return PICTURE.test(new URL(url).pathname);
  } catch {
    return false; // the service says what is wrong with it
  }
}
