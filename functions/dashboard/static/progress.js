/** What becomes of a post that was just sent, step by step. */

import { call, poll } from "./api.js";
import { fill, h, time } from "./dom.js";
import { STATUSES, errorPanel, failurePanel, isOver, statusBadge, timeline } from "./parts.js";

/** How long the page waits for a public address: TikTok tells it some minutes after the outcome, or not at all. */
const URL_MINUTES = 5;

/** Tell whether a post that is over still gets a public address. */
function comes(post) {
  return post.status === "PUBLISH_COMPLETE" && !post.publicUrl && post.options.privacyLevel === "PUBLIC_TO_EVERYONE";
}

/** Show a post in place of what was there, and follow it until it is over or waits for its time. */
export function followed(place, post, signal) {
  const live = h("div.stack", { "aria-live": "polite" });
  const path = post.statusUrl;
  fill(
    place,
    h(
      "section.card",
      { "aria-label": "The post" },
      live,
      h(
        "div.actions",
        h("a.button", { href: `#/posts/${post.postSubmissionId}` }, "Open the post"),
        h("a.button", { href: `#/compose?again=${post.postSubmissionId}` }, "New post"),
      ),
    ),
  );
  show(live, post);
  let last = null;
  poll(
    async () => {
      const found = await call("GET", path, { signal });
      const text = JSON.stringify([found.status, found.timeline, found.publicUrl, found.notBefore]);
      if (text !== last) show(live, found);
      last = text;
      if (found.status === "SCHEDULED") return true;
      return isOver(found) && (!comes(found) || Date.now() > Date.parse(found.updatedAt) + URL_MINUTES * 60000);
    },
    { signal, seconds: 1.5 },
  ).catch((error) => fill(live, errorPanel(error)));
}

function show(live, post) {
  const [, , meaning] = STATUSES[post.status];
  const upload = post.timeline?.findLast((moment) => moment.totalBytes);
  fill(
    live,
    h("div.row", h("h2", headline(post)), statusBadge(post.status)),
    h("p", meaning),
    post.scheduledTime && post.status === "SCHEDULED" && h("p", "It goes out ", time(post.scheduledTime), "."),
    post.notBefore && h("p", "Its turn comes ", time(post.notBefore), " or later."),
    !isOver(post) &&
      post.status !== "SCHEDULED" &&
      h("p.hint", "It may take a few minutes to process before the post is visible on the profile."),
    !isOver(post) && upload && h("progress", { max: upload.totalBytes, value: upload.bytes, "aria-label": "Moved" }),
    post.status === "FAILED" || post.status === "REVIEW" ? failurePanel(post) : null,
    post.publicUrl &&
      h("p", h("a", { href: post.publicUrl, target: "_blank", rel: "noopener noreferrer" }, "See it on TikTok")),
    post.warnings.length > 0 &&
      h(
        "section.panel.warn",
        { "aria-label": "Advice" },
        h("p.strong", "Would do better"),
        h(
          "ul",
          post.warnings.map((warning) => h("li", warning)),
        ),
      ),
    post.timeline && timeline(post),
  );
}

function headline(post) {
  if (post.status === "PUBLISH_COMPLETE") return "It is published";
  if (post.status === "SEND_TO_USER_INBOX") return "The draft is in the inbox";
  if (post.status === "SCHEDULED") return "It is scheduled";
  if (post.status === "FAILED") return "It was not published";
  return isOver(post) ? STATUSES[post.status][0] : "On its way";
}
