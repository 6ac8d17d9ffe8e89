/** What is left of every limit of each account, and when it frees. */

import { call } from "../api.js";
import { empty, fill, h, skeleton, time } from "../dom.js";
import { accounts, errorPanel, nameOf } from "../parts.js";

export const title = "Limits";

const WORDS = {
  publish: "Publications",
  performance: "Questions about figures",
  "tiktok-posts": "Posts that TikTok takes",
  "tiktok-drafts": "Drafts that TikTok keeps waiting",
  "tiktok-init": "Posts opened at TikTok",
  "tiktok-creator-info": "Looks at the creator's options",
  "tiktok-status": "Looks at posts' outcomes",
};

const UNITS = [
  ["a day", "days", 86400],
  ["an hour", "hours", 3600],
  ["a minute", "minutes", 60],
  ["a second", "seconds", 1],
];

/** Show the quota of every connected account. */
export async function render(root, { signal }) {
  const place = h("div.stack", skeleton(3));
  root.append(place);
  const known = (await accounts(signal)).filter((account) => account.state !== "disconnected");
  if (known.length === 0) {
    fill(
      place,
      empty(
        "No account yet",
        "Limits belong to accounts: connect one first.",
        h("a.button.primary", { href: "#/accounts" }, "Go to the accounts"),
      ),
    );
    return;
  }
  fill(
    place,
    h("p.soft", "All limits are sliding windows: a slot frees when its window has passed since it was taken."),
    h("div.cards", await Promise.all(known.map((account) => one(account, signal)))),
  );
}

async function one(account, signal) {
  try {
    const quota = await call("GET", `/v2/accounts/${account.account_id}/quota`, { signal });
    return card(account, quota);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    return h("section.card", { "aria-label": nameOf(account) }, h("h2", nameOf(account)), errorPanel(error));
  }
}

function card(account, quota) {
  const { posts, drafts } = quota.waiting;
  return h(
    "section.card",
    { "aria-label": nameOf(account) },
    h("h2", nameOf(account)),
    quota.heldUntil &&
      h(
        "section.panel.warn",
        h("p", `TikTok takes nothing now: ${quota.heldReason} We try again `, time(quota.heldUntil), "."),
      ),
    quota.limits.map(limit),
    h(
      "p.small.soft",
      posts + drafts === 0
        ? "Nothing waits for its turn."
        : `Waiting for their turn: ${posts} ${posts === 1 ? "post" : "posts"}, ${drafts} ${drafts === 1 ? "draft" : "drafts"}.`,
    ),
  );
}

function limit(of) {
  const name = WORDS[of.name] ?? of.name;
  return h(
    "div.stack.close",
    h("div.row.between", h("h3", name), h("span.strong", `${of.left} of ${of.limit} left`)),
    h("progress", {
      value: of.limit - of.left,
      max: of.limit,
      "aria-label": `${name}: ${of.limit - of.left} of ${of.limit} taken`,
    }),
    h(
      "p.small.soft",
      `In ${span(of.windowSeconds)}: ${of.used} used${of.promised > 0 ? `, ${of.promised} promised to waiting posts` : ""}. `,
      of.frees.length > 0 && ["The next one frees ", time(of.frees[0]), "."],
    ),
  );
}

function span(seconds) {
  const [single, plural, size] = UNITS.find(([, , length]) => seconds % length === 0);
  return seconds === size ? single : `${seconds / size} ${plural}`;
}
