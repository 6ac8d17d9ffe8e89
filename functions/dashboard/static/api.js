/** Calls of our own API, with the session's cookie; errors carry what to do and the ids to ask about. */

let session = null;

/** What the service refused, or that it could not be reached (status 0). */
export class ApiError extends Error {
  constructor(status, body) {
    super(body.error || "The service did not answer.");
    this.status = status;
    this.code = body.code ?? null;
    this.remedy = body.message || "Check your connection, and try again.";
    this.requestId = body.requestId ?? null;
    this.tiktokLogId = body.tiktok_log_id ?? null;
    this.problems = body.problems ?? [];
    this.retryAfter = body.retryAfter ?? null;
  }
}

/**
 * Call the API and return its JSON. `query` leaves out what is null or empty. Throws ApiError; a 401 also dispatches
 * `signed-out` on the window. GET is safe to repeat; a POST that is repeated carries the same `headers`.
 * The token of our session goes with every call: when the browser has another session meanwhile, nothing is done, and
 * the call is made again if that one is of the same workspace.
 */
export async function call(method, path, { body, query, headers = {}, signal } = {}) {
  const url = new URL(path, location.origin);
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== null && value !== undefined && value !== "") url.searchParams.set(name, value);
  }
  const sent = { Accept: "application/json", ...headers };
  const used = session;
  const signsIn = path === "/v2/session" && method !== "DELETE";
  if (used && !signsIn) sent["X-CSRF-Token"] = used.csrfToken;
  if (body !== undefined) sent["Content-Type"] = "application/json";
  let response, text;
  try {
    response = await fetch(url, {
      method,
      headers: sent,
      signal,
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    text = await response.text();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0, {});
  }
  const answer = parse(text);
  if (response.ok && answer !== null) return answer;
  const failure = new ApiError(response.status, {
    retryAfter: Number(response.headers.get("Retry-After")) || null,
    ...answer,
  });
  if (failure.code === "ForgedRequest" && used && !signsIn && (await stillOurs()) && session !== used)
    return call(method, path, { body, query, headers, signal });
  if (failure.code === "InvalidApiKey" && !path.startsWith("/v2/session"))
    window.dispatchEvent(new Event("signed-out"));
  throw failure;
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null; // of a gateway that gave up, or of something between us
  }
}

/** Return the session that the browser has, or null. */
export async function currentSession() {
  try {
    return keep(await call("GET", "/v2/session"));
  } catch (error) {
    if (error.status === 401) return null;
    throw error;
  }
}

/**
 * Tell whether the browser's session is of the workspace that this page shows. A newer one of it is taken on, and
 * dispatched as `session-renewed`; one of another workspace as `session-changed`, and none as `signed-out`.
 */
export async function stillOurs() {
  const before = session;
  const now = await currentSession();
  if (before && now?.workspaceId === before.workspaceId) {
    if (now.csrfToken === before.csrfToken) session = before;
    else window.dispatchEvent(new CustomEvent("session-renewed", { detail: now }));
    return true;
  }
  session = null;
  window.dispatchEvent(now ? new CustomEvent("session-changed", { detail: now }) : new Event("signed-out"));
  return false;
}

/** Sign in with {key} or with the {ticket} of a one-time link. */
export async function signIn(credential) {
  return keep(await call("POST", "/v2/session", { body: credential }));
}

/** End the session. */
export async function signOut() {
  await call("DELETE", "/v2/session");
  session = null;
}

function keep(found) {
  session = found;
  return found;
}

/**
 * Ask again and again while the page is looked at: `look` returns true when there is nothing more to wait for. A
 * failure to reach the service is tried again; anything else ends it.
 */
export async function poll(look, { signal, seconds = 2 }) {
  while (!signal.aborted) {
    await pause(seconds, signal);
    if (document.hidden) continue;
    try {
      if (await look()) return;
    } catch (error) {
      if (signal.aborted) return;
      if (error.status !== 0 && error.status < 500) throw error;
    }
  }
}

/** Wait; ends at once when the signal is aborted. */
export function pause(seconds, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, seconds * 1000);
    signal?.addEventListener(
      "abort",
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
}
