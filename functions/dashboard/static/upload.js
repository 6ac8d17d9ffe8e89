/** Bring a file to S3 in parts, each by itself: what a connection loses is one part, and a reload goes on. */

import { ApiError, call, pause } from "./api.js";

const AT_ONCE = 3;
const TRIES = 4;

/**
 * Upload a file and return the address to put into mediaUrls. `onProgress` is told the bytes that have arrived.
 * The same file chosen again goes on with the parts that are missing, and is not sent again once it is whole.
 */
export async function upload(file, { signal, onProgress }) {
  const name = `upload ${file.name} ${file.size} ${file.lastModified}`;
  const state = (await known(localStorage.getItem(name), signal)) ?? (await begin(file, signal));
  localStorage.setItem(name, state.uploadId);
  if (state.complete) {
    onProgress(file.size);
    return state.mediaUrl;
  }
  const arrived = new Map(state.parts.map((part) => [part.number, part.received ? part.size : 0]));
  const tell = () => onProgress([...arrived.values()].reduce((sum, bytes) => sum + bytes, 0));
  tell();
  const todo = [...state.parts];
  const hashes = [];
  const work = async () => {
    for (let part = todo.shift(); part; part = todo.shift()) {
      const { number } = part;
      const blob = file.slice(part.first, part.first + part.size);
      const sha256 = await hashOf(blob);
      hashes.push({ number, sha256 });
      if (!part.received) {
        await send(state.uploadId, { number, sha256 }, blob, {
          signal,
          onBytes: (bytes) => {
            arrived.set(number, bytes);
            tell();
          },
        });
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  const path = `/v2/media/uploads/${state.uploadId}/complete`;
  try {
    return (await call("POST", path, { signal, body: { parts: hashes } })).mediaUrl;
  } catch (error) {
    if (error.status === 400) localStorage.removeItem(name); // a part is of another file of that name: begin anew
    throw error;
  }
}

async function known(uploadId, signal) {
  if (!uploadId) return null;
  try {
    return await call("GET", `/v2/media/uploads/${uploadId}`, { signal });
  } catch (error) {
    if (error.status === 404 || error.status === 400) return null;
    throw error;
  }
}

function begin(file, signal) {
  const contentType = file.type || undefined;
  return call("POST", "/v2/media/uploads", { signal, body: { fileName: file.name, size: file.size, contentType } });
}

async function hashOf(blob) {
  const digest = await crypto.subtle.digest("SHA-256", await blob.arrayBuffer());
  return btoa(String.fromCharCode(...new Uint8Array(digest)));
}

/** Send a part; an address that does not work any more, or a lost connection, is tried again with a new address. */
async function send(uploadId, part, blob, { signal, onBytes }) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const { parts } = await call("POST", `/v2/media/uploads/${uploadId}/parts`, { signal, body: { parts: [part] } });
      const { url } = parts.find((one) => one.number === part.number);
      await put(url, part.sha256, blob, { signal, onBytes });
      onBytes(blob.size);
      return;
    } catch (error) {
      onBytes(0);
      const lasting =
        error.name === "AbortError" || (error.status >= 400 && error.status < 500 && error.status !== 403);
      if (lasting || attempt === TRIES) throw error;
      await pause(2 ** attempt / 2, signal);
    }
  }
}

function put(url, sha256, blob, { signal, onBytes }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest(); // fetch cannot tell how much has been sent
    request.open("PUT", url);
    request.setRequestHeader("x-amz-checksum-sha256", sha256);
    request.upload.addEventListener("progress", (event) => onBytes(event.loaded));
    request.addEventListener("load", () => (request.status === 200 ? resolve() : reject(refusal(request.status))));
    request.addEventListener("error", () => reject(refusal(0)));
    request.addEventListener("abort", () => reject(new DOMException("The upload was stopped.", "AbortError")));
    signal.addEventListener("abort", () => request.abort(), { once: true });
    request.send(blob);
  });
}

function refusal(status) {
  return new ApiError(status, {
    error: status
      ? `The storage refused a part of the file (${status}).`
      : "The connection was lost while the file was sent.",
    message: "Publish again: what has arrived is kept, and only the rest is sent.",
  });
}
