/** What several pages show: errors, states of posts and accounts, and the choice of an account. */

import { call, stillOurs } from "./api.js";
import { bytes, fill, h, newId, time } from "./dom.js";

const CALL = /\b(GET|POST|PATCH|PUT|DELETE) \/|[{}]/;

/** Write what the API says in this page's words. */
export function plain(text) {
  return (text ?? "")
    .replaceAll(/ ?\((GET|POST|PATCH|PUT|DELETE) \/[^)]*\)/g, "")
    .replaceAll(/[A-Z]+(?:_[A-Z]+)+/g, (name) => (Object.hasOwn(PRIVACY, name) ? `“${PRIVACY[name]}”` : name));
}

/** Write an advice of the API without what only a program would do. */
export function advice(text) {
  const sentences = plain(text).split(/(?<=[.;])\s+/);
  const kept = sentences.filter((sentence) => !CALL.test(sentence)).join(" ");
  return kept.replace(/;$/, ".");
}

/** What to do here about an error whose advice is for programs alone. */
const REMEDIES = {
  InvalidAccountId: "Look at the page Accounts.",
  NotFound: "It may have been removed: look at the list again.",
};

/** An error with what to do and the ids to ask about; `again` adds a button. */
export function errorPanel(error, again = null) {
  const todo = advice(error.remedy) || REMEDIES[error.code];
  const ids = [
    error.requestId && ["Request", error.requestId],
    error.tiktokLogId && ["TikTok log id", error.tiktokLogId],
  ].filter(Boolean);
  return h(
    "section.panel.bad",
    h("p.strong", plain(error.message)),
    todo && h("p", todo),
    error.problems?.length > 1 &&
      h(
        "ul",
        error.problems.map((problem) => h("li", `${plain(problem.error)} ${advice(problem.message)}`)),
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
    "It is sent to TikTok, or there already. It may take a few minutes before it is visible.",
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

/**
 * Return the account that an address names, the first one when it names none, or null when there is none of that id: to
 * post to another account than the one that was meant would be worse than asking.
 */
export function namedAccount(found, id) {
  return id ? (found.find((one) => one.account_id === id) ?? null) : found[0];
}

/** A link that leaves for TikTok to connect an account; not for another workspace than the one that is shown. */
export function connectLink(label, kind = "a.button.primary") {
  const href = "/oauth/tiktok/start";
  const onclick = async (event) => {
    event.preventDefault();
    if (await stillOurs().catch(() => true)) location.assign(href);
  };
  return h(kind, { href, onclick }, label);
}

/** What is said of an account in the address that is not among those to choose from. */
export const NOT_THERE = "The account of this address is not connected here. Choose one.";

/** A select of accounts; `any` adds a first choice that means all of them, or none yet. */
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
