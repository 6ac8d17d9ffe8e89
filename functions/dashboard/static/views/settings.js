/** What the operator looks after: the set-up's check, addresses for TikTok's portal, and each account's defaults. */

import { call } from "../api.js";
import { copyButton, field, fill, h, newId, skeleton, time, toast } from "../dom.js";
import { accounts, accountSelect, advice, during, errorPanel, nameOf, plain, PRIVACY } from "../parts.js";

export const title = "Settings";

const FOUND = {
  ok: ["Good", "good"],
  warning: ["Look at it", "warn"],
  failed: ["Failed", "bad"],
  unknown: ["Not known", "calm"],
};
const TOGGLES = [
  ["allowComment", "Allow comments"],
  ["allowDuet", "Allow duet"],
  ["allowStitch", "Allow stitch"],
];

/** Show all sections; each loads by itself. */
export async function render(root, { session, signal }) {
  const check = h("section.card", { "aria-label": "Set-up" });
  const defaults = h("section.card", { "aria-label": "Defaults" });
  root.append(check, addresses(), defaults, about(session));
  await Promise.all([examine(check, signal), showDefaults(defaults, signal)]);
}

async function examine(place, signal, { again = false } = {}) {
  const button = h("button", { type: "button", onclick: () => examine(place, signal, { again: true }) }, "Look again");
  fill(place, h("h2", "Set-up"), skeleton(2));
  try {
    const [{ healthy, findings }, known] = await Promise.all([call("GET", "/v2/doctor", { signal }), accounts(signal)]);
    const named = (text) =>
      known.reduce((said, account) => said.replaceAll(account.account_id, () => nameOf(account)), text);
    fill(
      place,
      h("div.row.between", h("h2", "Set-up"), button),
      h("p", { role: "status" }, healthy ? "Nothing is broken." : "Something is broken: see what to do below."),
      h(
        "ul.list",
        findings.map((finding) => {
          const [label, colour] = FOUND[finding.status] ?? [finding.status, "off"];
          return h(
            "li.found",
            h(`span.badge.${colour}`, label),
            h(
              "div",
              h("p.strong", finding.check),
              h("p", plain(named(finding.finding))),
              finding.advice && h("p.soft", advice(named(finding.advice))),
            ),
          );
        }),
      ),
    );
    if (again && document.activeElement === document.body) button.focus(); // the one that had the focus is gone
  } catch (error) {
    if (error.name !== "AbortError")
      fill(
        place,
        h("h2", "Set-up"),
        errorPanel(error, () => examine(place, signal)),
      );
  }
}

function addresses() {
  const rows = [
    ["Redirect URI (Login Kit)", `${location.origin}/oauth/tiktok/callback`],
    ["Webhook (callback URL)", `${location.origin}/webhooks/tiktok`],
    ["Prefix of photo URLs to verify", `${location.origin}/media/`],
  ];
  return h(
    "section.card",
    { "aria-label": "For TikTok's developer portal" },
    h("h2", "For TikTok's developer portal"),
    h(
      "dl.facts",
      rows.map(([name, url]) => [h("dt", name), h("dd", h("code", url), " ", copyButton(`Copy ${name}`, url))]),
    ),
    h("p", h("a", { href: "/docs" }, "The API's contract")),
  );
}

async function showDefaults(place, signal) {
  const heading = h("h2", "Defaults");
  fill(place, heading, skeleton(1));
  try {
    const known = (await accounts(signal)).filter((account) => account.state !== "disconnected");
    if (known.length === 0) {
      fill(
        place,
        heading,
        h(
          "p.soft",
          "Connect an account first: its defaults count for files dropped in S3 and for posts that give no options.",
        ),
      );
      return;
    }
    const choice = accountSelect(known);
    const form = h("div.stack");
    choice.addEventListener("change", () => showForm(form, choice.value, signal));
    fill(
      place,
      heading,
      h("p.soft", "They count for files dropped in S3, and for posts that give no options."),
      field("Account", choice),
      form,
    );
    await showForm(form, choice.value, signal);
  } catch (error) {
    if (error.name !== "AbortError")
      fill(
        place,
        heading,
        errorPanel(error, () => showDefaults(place, signal)),
      );
  }
}

async function showForm(place, accountId, signal) {
  const box = h("div", skeleton(1));
  fill(place, box); // a slow answer for an account that was left goes nowhere
  try {
    await defaultsForm(box, accountId, signal);
  } catch (error) {
    if (error.name !== "AbortError")
      fill(
        box,
        errorPanel(error, () => showForm(place, accountId, signal)),
      );
  }
}

async function defaultsForm(place, accountId, signal) {
  const { defaults } = await call("GET", `/v2/accounts/${accountId}/defaults`, { signal });
  const privacy = h(
    "select",
    h("option", { value: "" }, "None: a post has to choose"),
    Object.entries(PRIVACY).map(([value, label]) =>
      h("option", { value, selected: value === defaults?.privacyLevel }, label),
    ),
  );
  const boxes = TOGGLES.map(([name, label]) => {
    const box = h("input", { type: "checkbox", id: newId("default"), checked: Boolean(defaults?.[name]) });
    return [name, box, h("div.check", box, h("label", { for: box.id }, label))];
  });
  const told = h("div", { role: "alert" });
  const save = h("button.primary", { type: "submit" }, "Save defaults");
  fill(
    place,
    h(
      "form.stack",
      {
        onsubmit: (event) => {
          event.preventDefault();
          during(save, told, async () => {
            const chosen = Object.fromEntries(boxes.map(([name, box]) => [name, box.checked]));
            const body = { ...defaults, ...chosen, privacyLevel: privacy.value || null };
            await call("PUT", `/v2/accounts/${accountId}/defaults`, { body });
            toast("The defaults are saved.");
          });
        },
      },
      field("Who can watch", privacy),
      boxes.map(([, , line]) => line),
      told,
      h("div.actions", save),
    ),
  );
}

function about(session) {
  return h(
    "section.card",
    { "aria-label": "This session" },
    h("h2", "This session"),
    h(
      "dl.facts",
      h("dt", "Signed in with"),
      h("dd", session.keyName, " ", h("code", session.keyBeginning)),
      h("dt", "Since"),
      h("dd", time(session.signedInAt)),
      h("dt", "Ends"),
      h("dd", time(session.endsAt), ", or after 30 minutes without use"),
      h("dt", "Workspace"),
      h("dd", h("code", session.workspaceId), " ", copyButton("Copy workspace id", session.workspaceId)),
    ),
  );
}
