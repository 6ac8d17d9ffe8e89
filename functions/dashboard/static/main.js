/** Start: the session, the frame with its menu, and one page for each address behind the #. */

import { currentSession, signIn, signOut } from "./api.js";
import { ask, fill, h, newId, toast } from "./dom.js";
import { advice, errorPanel } from "./parts.js";

const MENU = [
  ["accounts", "Accounts"],
  ["compose", "New post"],
  ["posts", "Posts"],
  ["schedule", "Schedule"],
  ["performance", "Performance"],
  ["limits", "Limits"],
  ["keys", "Keys"],
  ["settings", "Settings"],
];
const PAGES = { ...Object.fromEntries(MENU.map(([name]) => [name, name])), "posts/": "post" };
const MISSING = {
  title: "There is no such page",
  render: (root) =>
    root.append(h("p", "The address leads nowhere. ", h("a", { href: "#/accounts" }, "Go to the accounts"), ".")),
};
const BROKEN = {
  title: "This page did not load",
  // A browser remembers a module that failed; a new start asks for it again, and gets the service's newest files.
  render: (root) =>
    root.append(
      errorPanel({ message: "A file of the page did not come.", remedy: "Check your connection, and try again." }, () =>
        location.reload(),
      ),
    ),
};
const app = document.getElementById("app");
let session = null;
let arrived = false;
let leave = new AbortController();

/** Split an address: #/posts/123?x=y is the page "posts/", ["123"] and {x: "y"}. */
function address() {
  const [path, search = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const [name = "accounts", ...params] = path.split("/").filter(Boolean).map(decoded);
  const key = params.length ? `${name}/` : name;
  return { name, key, params, query: Object.fromEntries(new URLSearchParams(search)) };
}

/** Decode a part of an address; one that cannot be decoded leads nowhere as it is. */
function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

async function show() {
  leave.abort();
  leave = new AbortController();
  const { signal } = leave;
  const at = address();
  if (at.name === "sign-in") return signInByLink(at.params[0]);
  if (!session) return showSignIn();
  const root = frame(at.name);
  const page = await pageOf(at.key);
  if (signal.aborted) return;
  head(root, page.title);
  try {
    await page.render(root, { ...at, signal, session });
  } catch (error) {
    if (!signal.aborted) root.append(errorPanel(error, show));
  }
  root.removeAttribute("aria-busy");
}

function head(root, title) {
  document.title = `${title} · TikTok publisher`;
  const heading = h("h1", { tabindex: "-1" }, title);
  fill(root, heading);
  // A new page is announced by its heading, but the first one leaves the focus where the browser put it.
  if (arrived) heading.focus({ preventScroll: true });
  arrived = true;
  window.scrollTo(0, 0);
}

async function pageOf(key) {
  if (!Object.hasOwn(PAGES, key)) return MISSING;
  try {
    return await import(`./views/${PAGES[key]}.js`);
  } catch {
    return BROKEN;
  }
}

function frame(name) {
  const known = document.getElementById("main");
  if (!known?.classList.contains("page")) {
    fill(
      app,
      h(
        "header.bar",
        h("a.brand", { href: "#/accounts" }, h("span.mark", { "aria-hidden": "true" }), "Publisher"),
        h(
          "nav",
          { "aria-label": "Main" },
          h(
            "ul",
            MENU.map(([page, label]) => h("li", h("a", { href: `#/${page}` }, label))),
          ),
        ),
        h(
          "div.who",
          h("span.key", { title: session.keyBeginning }, session.keyName),
          h("button.quiet", { type: "button", onclick: leaveSession }, "Sign out"),
        ),
      ),
      h("main.page", { id: "main" }),
    );
  }
  for (const link of app.querySelectorAll("nav a")) {
    if (link.getAttribute("href") === `#/${name}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  const root = document.getElementById("main");
  root.setAttribute("aria-busy", "true");
  return root;
}

async function leaveSession() {
  try {
    await signOut();
  } catch (error) {
    toast(`${error.message} ${advice(error.remedy)}`, { bad: true });
    return;
  }
  session = null;
  history.replaceState(null, "", "#/accounts"); // changing the hash itself would show the form again, emptied
  showSignIn();
}

async function signInByLink(ticket) {
  // The ticket is used up now, and has no business in the history.
  history.replaceState(null, "", "#/accounts");
  const living = session;
  if (living) {
    await show();
    const sure = await ask({
      title: "Sign in with the link?",
      body: `You are signed in with the key “${living.keyName}”. The link may belong to another workspace: go on only if you asked for it.`,
      confirm: "Sign in with the link",
      cancel: "Stay signed in",
    });
    if (!sure) return;
  }
  try {
    session = await signIn({ ticket });
  } catch (error) {
    if (!living) showSignIn(error);
    else toast(`${error.message} ${advice(error.remedy)}`, { bad: true });
    return;
  }
  fill(app); // its header names the key
  await show();
}

/** Say that the browser has a session of another workspace now: what is done here would be done there. */
function showOther(other) {
  document.title = "Another workspace · TikTok publisher";
  fill(
    app,
    h(
      "main.signin",
      { id: "main" },
      h("h1", { tabindex: "-1" }, "Another workspace"),
      h(
        "section.card",
        { role: "alert" },
        h("p", `This browser is now signed in to another workspace, with the key “${other.keyName}”.`),
        h("p", "Nothing was sent from here since then. Load the page again to go on there, or sign in again."),
        h(
          "div.actions",
          h("button.primary", { type: "button", onclick: () => location.reload() }, "Go on there"),
          h("button", { type: "button", onclick: () => showSignIn() }, "Sign in"),
        ),
      ),
    ),
  );
}

function showSignIn(failure = null) {
  document.title = "Sign in · TikTok publisher";
  arrived = true;
  const key = h("input", {
    type: "password",
    id: newId("key"),
    autocomplete: "current-password",
    required: true,
    spellcheck: "false",
  });
  const told = h("div", { role: "alert" }, failure && errorPanel(failure));
  const button = h("button.primary", { type: "submit" }, "Sign in");
  const form = h(
    "form.card",
    {
      onsubmit: async (event) => {
        event.preventDefault();
        button.disabled = true;
        try {
          session = await signIn({ key: key.value.trim() });
          await show();
        } catch (error) {
          fill(told, errorPanel(error));
          button.disabled = false;
          key.focus();
        }
      },
    },
    h(
      "div.field",
      h("label", { for: key.id }, "Admin key"),
      key,
      h("p.hint", "A key with the scope admin. `make key` makes one; `make signin` makes a link instead."),
    ),
    button,
  );
  fill(app, h("main.signin", { id: "main" }, h("h1", "Sign in"), told, form));
  key.focus();
}

window.addEventListener("hashchange", show);
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault(); // what stands behind the # is the page's address
  const heading = document.querySelector("main h1");
  heading.tabIndex = -1;
  heading.focus();
});
window.addEventListener("signed-out", () => {
  if (!session) return;
  session = null;
  leave.abort();
  showSignIn({
    message: "Your session has ended.",
    remedy: "Sign in again; you come back to where you were.",
    problems: [],
  });
});

window.addEventListener("session-renewed", ({ detail }) => {
  session = detail;
  const shown = app.querySelector(".who .key");
  if (shown) shown.textContent = detail.keyName;
});
window.addEventListener("session-changed", ({ detail }) => {
  session = null;
  leave.abort();
  showOther(detail);
});

async function start() {
  try {
    session = await currentSession();
  } catch (error) {
    fill(app, h("main.signin", { id: "main" }, h("h1", "TikTok publisher"), errorPanel(error, start)));
    return;
  }
  await show();
}

start();
