/** The workspace's API keys: make them, see their last use, revoke them. */

import { call } from "../api.js";
import { ask, copyButton, field, fill, h, newId, skeleton, time, toast } from "../dom.js";
import { during } from "../parts.js";

export const title = "Keys";

const SCOPES = {
  "posts:write": "publish, change and cancel posts",
  "posts:read": "see posts",
  "accounts:read": "see accounts and limits",
  "accounts:write": "connect and disconnect accounts",
  "stats:read": "see figures",
  admin: "everything, also keys",
};

/** Show the form for a new key, and all keys. */
export async function render(root, { session, signal }) {
  const told = h("div", { role: "alert" });
  const made = h("div", { role: "status" });
  const list = h("div.stack", skeleton(2));
  const again = () => load(list, { session, told, signal });
  root.append(
    told,
    made,
    form(made, told, () => again()),
    list,
  );
  await again();
}

function form(made, told, again) {
  const name = h("input", { type: "text", required: true, maxlength: 100, autocomplete: "off" });
  const expires = h("input", { type: "datetime-local" });
  const boxes = Object.entries(SCOPES).map(([scope, means]) => {
    const box = h("input", { type: "checkbox", id: newId("scope"), value: scope, checked: scope !== "admin" });
    return [box, h("div.check", box, h("label", { for: box.id }, h("code", scope), ` – ${means}`))];
  });
  const button = h("button.primary", { type: "submit" }, "Make a key");
  return h(
    "form.card",
    {
      "aria-label": "New key",
      onsubmit: (event) => {
        event.preventDefault();
        const scopes = boxes
          .map(([box]) => box)
          .filter((box) => box.checked)
          .map((box) => box.value);
        during(button, told, async () => {
          const body = {
            name: name.value,
            scopes,
            ...(expires.value ? { expiresAt: new Date(expires.value).toISOString() } : {}),
          };
          showOnce(made, await call("POST", "/v2/keys", { body }));
          name.value = "";
          await again();
        });
      },
    },
    h("h2", "New key"),
    field("Name", name, { hint: "What it is for, so that you know what breaks when you revoke it." }),
    h(
      "fieldset",
      h("legend", "What it may do"),
      boxes.map(([, line]) => line),
    ),
    field("Expires (optional)", expires),
    h("div.actions", button),
  );
}

function showOnce(made, key) {
  fill(
    made,
    h(
      "section.panel.good",
      { "aria-label": "The new key" },
      h("p.strong", `The key “${key.name}” is made. You will not see it again: copy it now.`),
      h("p", h("code.selectable", key.key)),
      h("div.actions", copyButton("Copy key", key.key, "Copy key")),
    ),
  );
}

async function load(list, context) {
  const { keys } = await call("GET", "/v2/keys", { signal: context.signal });
  fill(
    list,
    h("h2", "All keys"),
    h(
      "div.table",
      { tabindex: "0", role: "region", "aria-label": "All keys" },
      h(
        "table",
        h(
          "thead",
          h(
            "tr",
            ["Name", "Begins with", "May", "Made", "Last used", "Ends", ""].map((name) =>
              h("th", { scope: "col" }, name || h("span.hidden-text", "Actions")),
            ),
          ),
        ),
        h(
          "tbody",
          keys.map((key) => row(key, list, context)),
        ),
      ),
    ),
  );
}

function row(key, list, { session, told, signal }) {
  const over = key.revokedAt ?? (key.expiresAt && Date.parse(key.expiresAt) <= Date.now() ? key.expiresAt : null);
  const own = key.prefix === session.keyBeginning;
  const button = h("button.danger", { type: "button", "aria-label": `Revoke ${key.name}` }, "Revoke");
  button.addEventListener("click", async () => {
    const sure = await ask({
      title: `Revoke ${key.name}?`,
      body: own
        ? "You are signed in with this key: you will be signed out."
        : "From its next request on it opens nothing. This cannot be undone.",
      confirm: "Revoke",
      danger: true,
    });
    if (!sure) return;
    await during(button, told, async () => {
      await call("DELETE", `/v2/keys/${key.keyId}`);
      toast(`${key.name} is revoked.`);
      await load(list, { session, told, signal });
    });
  });
  return h(
    "tr",
    h("td", key.name, own && h("span.soft", " (yours)")),
    h("td", h("code", key.prefix)),
    h("td", key.scopes.join(", ")),
    h("td", time(key.createdAt, { relative: false })),
    h("td", key.lastUsedAt ? time(key.lastUsedAt) : "Never"),
    h(
      "td",
      over ? h("span.badge.off", key.revokedAt ? "Revoked" : "Expired") : key.expiresAt ? time(key.expiresAt) : "Never",
    ),
    h("td", !over && button),
  );
}
