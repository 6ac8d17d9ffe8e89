/** One post: where it is, what it went through, what TikTok calls it, and what can be done now. */

import { call, poll } from "../api.js";
import { ask, copyButton, count, field, fill, h, skeleton, time, toast } from "../dom.js";
import {
  PRIVACY,
  STATUSES,
  accounts,
  during,
  errorPanel,
  failurePanel,
  isOver,
  nameOf,
  plain,
  statusBadge,
  timeline,
} from "../parts.js";
import { zoneSelect } from "../zones.js";

export const title = "Post";

/** Show a post, and keep it up to date until it is over. */
export async function render(root, { params, signal }) {
  const told = h("div", { role: "alert" });
  const place = h("div.stack", skeleton(3));
  const announced = h("p.hidden-text", { role: "status" });
  root.append(told, place, announced);
  const path = `/v2/posts/${encodeURIComponent(params[0])}`;
  const names = new Map((await accounts(signal)).map((account) => [account.account_id, nameOf(account)]));
  let shown = null;
  const show = (post) => {
    if (shown && JSON.stringify(withoutIds(post)) === JSON.stringify(withoutIds(shown))) return;
    if (shown && shown.status !== post.status) announced.textContent = `The post is now: ${STATUSES[post.status][0]}`;
    const acting = shown && place.contains(document.activeElement) && shown.status === post.status;
    shown = post;
    if (acting) fill(place.querySelector("[data-timeline]"), timeline(post));
    else fill(place, content(post, names.get(post.accountId) ?? post.accountId, { told, again }));
  };
  const again = async () => {
    show(await call("GET", path, { signal }));
    follow();
  };
  let following = false;
  const follow = () => {
    if (following || isOver(shown)) return;
    following = true;
    poll(
      async () => {
        show(await call("GET", path, { signal }));
        following = !isOver(shown);
        return !following;
      },
      { signal },
    ).catch((error) => fill(told, h("p", error.message)));
  };
  await again();
}

function withoutIds({ requestId, ...post }) {
  return post;
}

function content(post, account, acts) {
  const [, , meaning] = STATUSES[post.status] ?? [];
  return [
    h("div.row", statusBadge(post.status), h("span.soft", post.status === "QUEUED" ? plain(post.message) : meaning)),
    failurePanel(post),
    post.status === "REVIEW" && review(post, acts),
    actions(post, acts),
    h(
      "div.columns",
      h(
        "div.stack",
        h(
          "section.card",
          { "aria-label": "Content" },
          h("h2", "Content"),
          h("p.caption", post.text || h("span.soft", "No caption")),
          facts(post, account),
        ),
        post.warnings.length > 0 &&
          h(
            "section.panel.warn",
            { "aria-label": "Advice" },
            h("h2", "Would do better"),
            h(
              "ul",
              post.warnings.map((warning) => h("li", warning)),
            ),
          ),
        ids(post),
      ),
      h(
        "div.stack",
        h(
          "section.card",
          { "aria-label": "Timeline" },
          h("h2", "Timeline"),
          h("div", { "data-timeline": true }, timeline(post)),
        ),
        post.metrics && figures(post.metrics),
      ),
    ),
  ];
}

function facts(post, account) {
  const { options } = post;
  const allowed = [
    ["Comments", options.allowComment],
    ["Duet", options.allowDuet],
    ["Stitch", options.allowStitch],
  ]
    .filter(([, allows]) => allows)
    .map(([name]) => name);
  return h(
    "dl.facts",
    fact("Account", account),
    fact("What", post.post_type === "photo" ? "Photos" : "Video"),
    post.scheduledTime && fact("Goes out", time(post.scheduledTime)),
    post.notBefore && fact("Not before", time(post.notBefore)),
    options.draft
      ? fact("How", "As a draft for the TikTok inbox")
      : fact("Who can watch", PRIVACY[options.privacyLevel] ?? "Not chosen"),
    !options.draft && fact("Allowed", allowed.join(", ") || "Nothing"),
    post.label && fact("Label", post.label),
    fact("Made", time(post.createdAt)),
    post.publicUrl &&
      fact("At TikTok", h("a", { href: post.publicUrl, target: "_blank", rel: "noopener noreferrer" }, post.publicUrl)),
  );
}

function fact(name, value) {
  return [h("dt", name), h("dd", value)];
}

function ids(post) {
  const rows = [
    ["Post id", post.postSubmissionId],
    ["TikTok's publish id", post.publish_id],
    ...post.postIds.map((id) => ["TikTok's post id", id]),
    ["TikTok's log id", post.tiktok_log_id],
  ].filter(([, value]) => value);
  return h(
    "section.card",
    { "aria-label": "Ids" },
    h("h2", "Ids"),
    h(
      "dl.facts",
      rows.map(([name, value]) => fact(name, [h("code", value), " ", copyButton(`Copy ${name}`, value)])),
    ),
  );
}

function figures(metrics) {
  return h(
    "section.card",
    { "aria-label": "Figures" },
    h("h2", "Figures"),
    h(
      "dl.facts",
      fact("Views", count(metrics.viewCount)),
      fact("Likes", count(metrics.likeCount)),
      fact("Comments", count(metrics.commentCount)),
      fact("Shares", count(metrics.shareCount)),
      fact("As of", time(metrics.asOf)),
    ),
  );
}

function actions(post, acts) {
  const waits = ["SCHEDULED", "QUEUED"].includes(post.status);
  const buttons = [
    waits && action("Edit", "button", acts, () => edit(post, acts)),
    !isOver(post) && action("Cancel post", "button.danger", acts, () => cancel(post, acts)),
    post.status === "FAILED" && action("Try again", "button.primary", acts, () => retry(post, {}, acts)),
  ].filter(Boolean);
  return buttons.length > 0 && h("div.actions", buttons);
}

function action(label, kind, { told }, work) {
  const button = h(kind, { type: "button" }, label);
  button.addEventListener("click", () => during(button, told, work));
  return button;
}

async function cancel(post, { again }) {
  const sure = await ask({
    title: "Cancel this post?",
    body: "It will not be published. A cancelled post stays in the list.",
    confirm: "Cancel post",
    cancel: "Keep it",
    danger: true,
  });
  if (!sure) return;
  try {
    await call("DELETE", post.statusUrl);
    toast("The post is cancelled.");
  } finally {
    await again();
  }
}

async function retry(post, seen, { again }) {
  try {
    await call("POST", `${post.statusUrl}/retry`, { body: seen });
  } finally {
    await again();
  }
}

function review(post, acts) {
  const settle = (published, question) => async () => {
    if (await ask(question)) await retry(post, { published }, acts);
  };
  return h(
    "section.panel.warn",
    { "aria-label": "Needs you" },
    h("h2", "Is it on the profile?"),
    h(
      "p",
      "TikTok has not said whether it published this post. Look at the account in TikTok, then say what you see; we never post it a second time without your word.",
    ),
    h(
      "div.actions",
      action(
        "It is there",
        "button.primary",
        acts,
        settle(true, {
          title: "Is the post on the profile?",
          body: "It is then recorded as published, and nothing more is sent.",
          confirm: "Yes, it is there",
        }),
      ),
      action(
        "It is not there",
        "button.danger",
        acts,
        settle(false, {
          title: "Is the post certainly not there?",
          body: "It is then sent again. If it is there after all, it will be there twice.",
          confirm: "It is not there, send it again",
          danger: true,
        }),
      ),
      action("Ask TikTok again", "button", acts, () => retry(post, {}, acts)),
    ),
  );
}

async function edit(post, { told, again }) {
  const text = h("textarea", { value: post.text, maxlength: 2200 });
  const at =
    post.scheduledTime && h("input", { type: "datetime-local", value: localTime(post.scheduledTime), required: true });
  const zone = at && zoneSelect();
  const refused = h("div", { role: "alert" });
  const body = h(
    "div.stack",
    field("Caption", text),
    at && field("Goes out at", at),
    at && field("Time zone", zone),
    refused,
  );
  let saved = false;
  while (!saved) {
    if (!(await ask({ title: "Edit the post", body, confirm: "Save" }))) return;
    const moved = at && (at.value !== localTime(post.scheduledTime) || zone.value !== zone.dataset.own);
    try {
      await call("PATCH", post.statusUrl, {
        body: {
          post: { content: { text: text.value } },
          ...(moved ? { scheduledTime: at.value, timezone: zone.value } : {}),
        },
      });
      saved = true;
    } catch (error) {
      if (error.status === 401) throw error;
      fill(refused, errorPanel(error)); // and the dialog again, with what was typed
    }
  }
  toast("Saved.");
  fill(told);
  await again();
}

/** Write a moment as an input of type datetime-local wants it, in the browser's zone. */
function localTime(iso) {
  const at = new Date(iso);
  return new Date(at.getTime() - at.getTimezoneOffset() * 60000).toISOString().slice(0, 16);
}
