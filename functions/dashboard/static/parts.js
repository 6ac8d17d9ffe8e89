/** What several pages show: errors, states of posts and accounts, and the choice of an account. */

import { call } from "./api.js";
import { bytes, fill, h, newId, time } from "./dom.js";

/** An error with what to do and the ids to ask about; `again` adds a button. */
export function errorPanel(error, again = null) {
  const ids = [
    error.requestId && ["Request", error.requestId],
    error.tiktokLogId && ["TikTok log id", error.tiktokLogId],
  ].filter(Boolean);
  return h(
    "section.panel.bad",
    h("p.strong", error.message),
    error.remedy && h("p", error.remedy),
    error.problems?.length > 1 &&
      h(
        "ul",
        error.problems.map((problem) => h("li", `${problem.error} ${problem.message ?? ""}`)),
      ),
    ids.length > 0 &&
      h(
        "p.ids",
        ids.map(([name, id]) => h("span", `${name} `, h("code", id))),
      ),
    again && h("div.actions", h("button", { type: "button", onclick: again }, "Try again")),
  );
}

/** Words, colour and meaning of each status of a post. */
export const STATUSES = {
  SCHEDULED: ["Scheduled", "calm", "It goes out at its time."],
  QUEUED: ["Waiting", "calm", "It goes out as soon as it is its turn."],
  PROCESSING_DOWNLOAD: ["Fetching the media", "busy", "The media is copied and looked at."],
  PROCESSING_UPLOAD: [
    "At TikTok",
    "busy",
    "TikTok has it, or is getting it. It may take a few minutes before it is visible.",
  ],
  PUBLISH_COMPLETE: ["Published", "good", "TikTok has published it."],
  SEND_TO_USER_INBOX: ["In the inbox", "good", "Open the notification in TikTok's inbox to edit and publish it."],
  FAILED: ["Failed", "bad", "It was not published."],
  CANCELLED: ["Cancelled", "off", "It was cancelled before anything was sent."],
  REVIEW: ["Needs you", "warn", "Whether TikTok published it is not known. Look at the profile, and say what you see."],
};

/** TikTok's words for who may watch. */
export const PRIVACY = {
  PUBLIC_TO_EVERYONE: "Everyone",
  MUTUAL_FOLLOW_FRIENDS: "Friends",
  FOLLOWER_OF_CREATOR: "Followers",
  SELF_ONLY: "Only me",
};

/** Tell whether nothing more happens to a post by itself. */
export function isOver(post) {
  return ["PUBLISH_COMPLETE", "SEND_TO_USER_INBOX", "FAILED", "CANCELLED", "REVIEW"].includes(post.status);
}

/** A post's status as a badge. */
export function statusBadge(status) {
  const [label, colour] = STATUSES[status] ?? [status, "off"];
  return h(`span.badge.${colour}`, label);
}

/** Words, colour and remedy of each state of an account. */
export const ACCOUNT_STATES = {
  active: ["Active", "good", ""],
  expiring: ["Expires soon", "warn", "Connect it again within two weeks, so that nothing stops."],
  reauthorize: [
    "Connect again",
    "bad",
    "TikTok does not accept our access any more. Connect it again; waiting posts then go on.",
  ],
  disconnected: ["Disconnected", "off", "Connect it again to publish."],
};

/** An account's state as a badge. */
export function accountBadge(account) {
  const [label, colour] = ACCOUNT_STATES[account.state] ?? [account.state, "off"];
  return h(`span.badge.${colour}`, label);
}

/** Return the workspace's accounts, the connected ones first. */
export async function accounts(signal) {
  const { accounts: found } = await call("GET", "/api/accounts", { signal });
  const last = (account) => (account.state === "disconnected" ? 1 : 0);
  return found.toSorted(
    (one, other) => last(one) - last(other) || one.tiktok_display_name.localeCompare(other.tiktok_display_name),
  );
}

/** What a person calls an account. */
export function nameOf(account) {
  return account.tiktok_display_name || account.tiktok_username || account.account_id;
}

/** A select of accounts; `any` adds a first choice that means all of them. */
export function accountSelect(found, { chosen = "", any = null } = {}) {
  return h(
    "select",
    { id: newId("account") },
    any && h("option", { value: "" }, any),
    // Isolated, since a nickname may turn the direction of what follows it.
    found.map((account) =>
      h(
        "option",
        { value: account.account_id, selected: account.account_id === chosen },
        `\u2068${nameOf(account)}\u2069${account.tiktok_username ? ` (@${account.tiktok_username})` : ""}`,
      ),
    ),
  );
}

/** What is said of a post that failed or needs a person: why, what to do, and the ids to ask about. */
export function failurePanel(post) {
  if (!post.error) return null;
  return errorPanel({
    message: post.error,
    remedy: post.message,
    requestId: null,
    tiktokLogId: post.tiktok_log_id,
    problems: [],
  });
}

const STEPS = {
  DownloadMedia: "Media fetched and looked at",
  ConvertPhotos: "Photos converted",
  InitializePost: "Post opened at TikTok",
  UploadChunks: "Media sent to TikTok",
  CheckStatus: "TikTok asked for the outcome",
  RecordPublished: "Finished",
  RecordFailure: "Ended without being published",
};

/** The steps a post has gone through, the last one last, with bytes where a step moves some. */
export function timeline(post) {
  return h(
    "ol.timeline",
    post.timeline.map((moment) =>
      h(
        "li",
        h("p.strong", STEPS[moment.step] ?? moment.step),
        h("p.soft.small", time(moment.at, { relative: false })),
        moment.bytes != null &&
          h(
            "p.small.soft",
            moment.totalBytes ? `${bytes(moment.bytes)} of ${bytes(moment.totalBytes)}` : bytes(moment.bytes),
          ),
      ),
    ),
  );
}

/** Run something while a button is disabled; what fails is shown in `told`. */
export async function during(button, told, work) {
  button.disabled = true;
  fill(told);
  try {
    await work();
  } catch (error) {
    if (error.name !== "AbortError") fill(told, errorPanel(error));
  } finally {
    button.disabled = false;
  }
}
