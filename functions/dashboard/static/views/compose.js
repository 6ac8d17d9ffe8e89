/** The composer: what is posted, to whom, how, and when; then what becomes of it. TikTok's rules for such a page hold. */

import { call } from "../api.js";
import { box, consent, disclosure, INDICATE, NOT_PRIVATE } from "../disclosure.js";
import { avatar, bytes, empty, field, fill, h, newId, setError, skeleton } from "../dom.js";
import { mediaChoice } from "../media.js";
import { accounts, accountSelect, advice, errorPanel, namedAccount, NOT_THERE, plain, PRIVACY } from "../parts.js";
import { followed } from "../progress.js";
import { upload } from "../upload.js";
import { zoneSelect } from "../zones.js";

export const title = "New post";

const CAPTION = 2200;
const TITLE = 90;
const KEPT_DAYS = 30;
const TOGGLES = [
  ["allowComment", "Allow Comment", "commentDisabled"],
  ["allowDuet", "Allow Duet", "duetDisabled"],
  ["allowStitch", "Allow Stitch", "stitchDisabled"],
];

/** What was typed and not sent, and by whose key: a session that ends, or a look at another page, must not lose it. */
let kept = { by: null, text: "", title: "" };

/** Show the composer for the account of the address, else for the first one that can post. */
export async function render(root, { query, signal, session }) {
  if (kept.by !== session.keyBeginning) kept = { by: session.keyBeginning, text: "", title: "" };
  const place = h("div.stack", skeleton(4));
  root.append(place);
  const known = (await accounts(signal)).filter((account) => account.state !== "disconnected");
  if (known.length === 0) {
    fill(
      place,
      empty(
        "No account yet",
        "Connect a TikTok account first; then you can post to it from here.",
        h("a.button.primary", { href: "#/accounts" }, "Go to the accounts"),
      ),
    );
    return;
  }
  await composer(place, known, query, signal).chooseAccount();
}

function composer(place, known, query, signal) {
  let creator = null;
  let attempt = null; // the key and the uploaded files of this very post, so that pressing again makes no second one
  const named = namedAccount(known, query.account);
  const account = accountSelect(known, { chosen: named?.account_id, any: named ? null : "Choose an account" });
  const who = h("div");
  const media = mediaChoice(changed, signal);
  const caption = h("textarea", { value: kept.text || (query.test ? "A test upload" : ""), maxlength: CAPTION });
  const counter = h("p.hint.count", { id: newId("counter") });
  const photoTitle = h("input", { type: "text", value: kept.title, maxlength: TITLE });
  const titleField = field("Title", photoTitle, { hint: `Of photo posts, at most ${TITLE} characters.` });
  const draft = box(
    "Send as a draft",
    "It arrives in the creator's TikTok inbox; open the notification there to edit and publish it.",
  );
  const privacy = h("select", { required: true });
  const privacyNote = h("p.hint", { role: "status" });
  const toggles = TOGGLES.map(([name, label, off]) => ({ name, off, ...box(label) }));
  const commercial = disclosure(changed);
  const more = moreOptions(changed);
  const time = timing(changed);
  const agreed = h("p.consent");
  const reasons = h("ul.hint.reasons", { id: newId("reasons") });
  const publish = h("button.primary", { type: "submit", "aria-describedby": reasons.id }, "Publish");
  const wrapper = h("span", publish);
  const told = h("div", { role: "alert" });
  const direct = h(
    "div.stack",
    field("Who can watch this", privacy),
    privacyNote,
    h(
      "fieldset",
      h("legend", "Allow users to"),
      toggles.map((toggle) => toggle.line),
    ),
    commercial.element,
  );
  const form = h(
    "form.columns",
    { novalidate: true, "aria-label": "New post" },
    h(
      "div.stack",
      h("section.card", { "aria-label": "Account" }, field("Post to", account), who),
      h("section.card", { "aria-label": "Media" }, media.element),
      h("section.card", { "aria-label": "Text" }, field("Caption", caption), counter, titleField),
    ),
    h(
      "div.stack",
      h("section.card", { "aria-label": "How" }, draft.line, direct, more.element),
      h("section.card", { "aria-label": "When" }, time.element),
      h(
        "section.card",
        { "aria-label": "Publish" },
        agreed,
        told,
        h("p.hint", "It may take a few minutes to process before the post is visible on the profile."),
        h("div.actions", wrapper),
        reasons,
      ),
    ),
  );

  const controls = {
    "post.content.text": caption,
    "post.accountId": account,
    "tiktokOptions.privacyLevel": privacy,
    scheduledTime: time.control,
  };
  account.addEventListener("change", chooseAccount);
  form.addEventListener("input", () => {
    Object.assign(kept, { text: caption.value, title: photoTitle.value });
    changed();
  });
  form.addEventListener("change", changed);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send();
  });

  /** Ask TikTok what the creator may choose now; nothing can be published before it has answered. */
  async function chooseAccount() {
    creator = null;
    if (!form.isConnected) fill(place, form);
    const asked = account.value;
    fill(who, asked ? skeleton(1) : h("p.panel.warn", NOT_THERE));
    if (!asked) {
      changed();
      return;
    }
    let shown;
    try {
      const found = await call("GET", `/v2/accounts/${asked}/creator-info`, { signal });
      if (account.value !== asked) return;
      creator = found;
      shown = h(
        "div.row",
        avatar(found.creatorAvatarUrl, found.creatorNickname),
        h(
          "div",
          h("p", "Posting to ", h("span.strong", found.creatorNickname)),
          h("p.soft.small", `@${found.creatorUsername}`),
        ),
      );
    } catch (error) {
      if (error.name === "AbortError" || account.value !== asked) return;
      shown = [
        errorPanel(error, chooseAccount),
        h("p.hint", "Nothing can be published to this account now; try again later. A draft may still be sent."),
      ];
    }
    fill(who, shown);
    fill(
      privacy,
      h("option", { value: "" }, "Choose who can watch"),
      (creator?.privacyLevelOptions ?? []).map((level) => h("option", { value: level }, PRIVACY[level] ?? level)),
    );
    for (const toggle of toggles) toggle.input.checked = false;
    changed();
  }

  /** Offer what the creator may choose by now, after a choice was refused; the other choices stay. */
  async function askAgain() {
    const chosen = toggles.map((toggle) => toggle.input.checked);
    const asked = account.value;
    await chooseAccount();
    if (account.value !== asked) return; // nothing is chosen beforehand for another account
    for (const [number, toggle] of toggles.entries()) toggle.input.checked = chosen[number];
    changed();
  }

  function changed() {
    attempt = null;
    const { kind, problem } = media.value();
    const photos = kind === "photo";
    const asDraft = draft.input.checked;
    commercial.setPrivate(privacy.value === "SELF_ONLY");
    const chosen = commercial.value();
    direct.hidden = asDraft;
    titleField.hidden = !photos;
    counter.textContent = `${caption.value.length} of ${CAPTION}`;
    for (const toggle of toggles) {
      const off = Boolean(creator?.[toggle.off]);
      toggle.line.hidden = photos && toggle.name !== "allowComment";
      toggle.input.disabled = off || !creator;
      toggle.line.classList.toggle("off", off);
      toggle.hint.textContent = off ? "The creator has switched this off in TikTok's settings." : "";
      if (off) toggle.input.checked = false;
    }
    const onlyMe = [...privacy.options].find((option) => option.value === "SELF_ONLY");
    if (onlyMe) {
      onlyMe.disabled = chosen.branded;
      onlyMe.title = chosen.branded ? NOT_PRIVATE : "";
    }
    privacyNote.textContent = chosen.branded ? NOT_PRIVATE : "";
    more.show(kind, asDraft);
    consent(agreed, { branded: chosen.branded && !asDraft });
    const longest = creator?.maxVideoPostDurationSec;
    const tooLong = !asDraft && longest && media.value().seconds > longest;
    const undecided = chosen.on && !chosen.brand && !chosen.branded && !asDraft;
    const lacking = [
      !account.value && "Choose an account.",
      account.value && !creator && !asDraft && "TikTok has to tell what this creator may choose.",
      problem,
      tooLong &&
        `The video is ${Math.round(media.value().seconds)} seconds long; this creator may post ${longest} seconds.`,
      !asDraft && creator && !privacy.value && "Choose who can watch this.",
      undecided && INDICATE,
      time.problem(Boolean(media.value().files)),
    ].filter(Boolean);
    publish.disabled = lacking.length > 0;
    publish.textContent = asDraft ? "Send draft" : time.value() ? "Schedule" : "Publish";
    wrapper.title = undecided ? INDICATE : lacking.join(" ");
    fill(
      reasons,
      lacking.map((reason) => h("li", reason)),
    );
  }

  function options() {
    if (draft.input.checked) return { draft: true, ...more.value() };
    const { brand, branded } = commercial.value();
    const photos = media.value().kind === "photo";
    const allowed = toggles
      .filter((toggle) => !photos || toggle.name === "allowComment")
      .map((toggle) => [toggle.name, toggle.input.checked]);
    return {
      privacyLevel: privacy.value,
      ...Object.fromEntries(allowed),
      brandOrganicToggle: brand,
      brandContentToggle: branded,
      ...more.value(),
    };
  }

  /** Send the files, then the post. What fails can be pressed again: no byte and no post goes out twice. */
  async function send() {
    attempt ??= { key: crypto.randomUUID(), urls: new Map() };
    const mine = attempt;
    const stop = new AbortController();
    signal.addEventListener("abort", () => stop.abort(), { once: true });
    let sent = false;
    fill(told);
    for (const control of Object.values(controls)) setError(control, null);
    form.inert = true;
    try {
      const mediaUrls = await uploadAll(media.value(), mine, stop);
      const tiktokOptions = options();
      if (media.value().kind === "photo" && photoTitle.value) tiktokOptions.photoTitle = photoTitle.value;
      const body = {
        post: {
          accountId: account.value,
          content: { text: caption.value, mediaUrls, platform: "tiktok" },
          tiktokOptions,
        },
        ...time.value(),
        ...(time.queues() ? { queueIfLimited: true } : {}),
      };
      sent = true;
      const post = await call("POST", "/v2/posts", {
        body,
        signal,
        headers: { Prefer: "respond-async", "Idempotency-Key": mine.key },
      });
      Object.assign(kept, { text: "", title: "" });
      followed(place, post, signal);
    } catch (error) {
      form.inert = false;
      if (error.name === "AbortError")
        fill(told, h("p.panel.calm", "The upload was stopped. Publish again to go on; what has arrived is kept."));
      else if (sent && (error.status === 0 || error.status >= 500)) fill(told, errorPanel(error), unknown());
      else refused(error);
      publish.focus();
      attempt = mine;
    } finally {
      document.querySelector("dialog.sending")?.remove();
    }
  }

  function refused(error) {
    for (const problem of error.problems) {
      const control = Object.entries(controls).find(([name]) => problem.field?.endsWith(name))?.[1];
      if (control) setError(control, `${plain(problem.error)} ${advice(problem.message)}`);
    }
    fill(told, errorPanel(error));
    if (error.problems.some((problem) => problem.field?.endsWith("privacyLevel"))) askAgain();
  }

  return { chooseAccount };
}

/** What is said when nobody knows whether the service has taken the post. */
function unknown() {
  return h(
    "section.panel.warn",
    h("p.strong", "The post may have been taken."),
    h(
      "p",
      "Press the button again without changing anything: the same post is never made twice. What you change makes another post, so ",
      h("a", { href: "#/posts" }, "look at the posts"),
      " first.",
    ),
  );
}

/** Upload what was chosen from the computer, with progress in a dialog that can stop it; addresses are passed through. */
async function uploadAll({ files, urls, size }, attempt, stop) {
  if (!files) return urls;
  const bar = h("progress", { max: size, value: 0, "aria-label": "Uploaded" });
  const text = h("p", { role: "status" });
  const dialog = h(
    "dialog.sending",
    { "aria-label": "Uploading" },
    h("h2", "Uploading"),
    bar,
    text,
    h("div.actions", h("button", { type: "button", onclick: () => stop.abort() }, "Stop the upload")),
  );
  dialog.addEventListener("cancel", () => stop.abort());
  document.body.append(dialog);
  dialog.showModal();
  let before = 0;
  for (const file of files) {
    const start = before;
    attempt.urls.set(
      file,
      attempt.urls.get(file) ??
        (await upload(file, {
          signal: stop.signal,
          onProgress: (sent) => {
            bar.value = start + sent;
            text.textContent = `${bytes(start + sent)} of ${bytes(size)}`;
          },
        })),
    );
    before += file.size;
  }
  return files.map((file) => attempt.urls.get(file));
}

function moreOptions(changed) {
  const ai = box("Made by AI", "TikTok then labels the video as AI-generated.");
  const cover = h("input", { type: "number", min: 0, step: 0.1, inputmode: "decimal" });
  const index = h("input", { type: "number", min: 1, max: 35, step: 1, inputmode: "numeric" });
  const music = box("Let TikTok add music");
  const video = h(
    "div.stack",
    ai.line,
    field("Cover at second", cover, { hint: "Without it TikTok takes the first frame." }),
  );
  const photo = h(
    "div.stack",
    music.line,
    field("Cover picture", index, { hint: "Its number; without it the first one." }),
  );
  for (const input of [cover, index]) input.addEventListener("input", changed);
  return {
    element: h("details", h("summary", "More options"), h("div.stack", video, photo)),
    show(kind, asDraft) {
      video.hidden = kind === "photo" || asDraft;
      photo.hidden = kind !== "photo";
    },
    value() {
      return {
        ...(!video.hidden && ai.input.checked ? { isAiGenerated: true } : {}),
        ...(!video.hidden && cover.value ? { videoCoverTimestampMs: Math.round(Number(cover.value) * 1000) } : {}),
        ...(!photo.hidden && music.input.checked ? { autoAddMusic: true } : {}),
        ...(!photo.hidden && index.value ? { photoCoverIndex: Number(index.value) - 1 } : {}),
      };
    },
  };
}

function timing(changed) {
  const [now, later] = ["Now", "At a time"].map((label, number) => {
    const input = h("input", { type: "radio", name: "when", id: newId("when"), checked: number === 0 });
    return { input, line: h("div.check", input, h("label", { for: input.id }, label)) };
  });
  const at = h("input", { type: "datetime-local" });
  const zone = zoneSelect();
  const fields = h("div.stack", { hidden: true }, field("Date and time", at), field("Time zone", zone));
  const queue = box(
    "Wait when a limit is reached",
    "The post then goes out as soon as a slot is free, instead of being refused.",
  );
  for (const { input } of [now, later]) {
    input.addEventListener("change", () => {
      fields.hidden = !later.input.checked;
      queue.line.hidden = later.input.checked;
      changed();
    });
  }
  return {
    control: at,
    element: h("div.stack", h("fieldset", h("legend", "When"), now.line, later.line), fields, queue.line),
    problem(ofThisComputer) {
      if (!later.input.checked) return null;
      if (!at.value) return "Choose the date and time.";
      // Whatever the time zone; what is within a day of it the service judges.
      const days = (Date.parse(`${at.value}Z`) - Date.now()) / 86400000;
      if (days < -1) return "The time is over.";
      if (ofThisComputer && days > KEPT_DAYS + 1)
        return `A file of this computer is kept for ${KEPT_DAYS} days: choose an earlier time, or give an address.`;
      return null;
    },
    value: () => (later.input.checked && at.value ? { scheduledTime: at.value, timezone: zone.value } : null),
    queues: () => !later.input.checked && queue.input.checked,
  };
}
