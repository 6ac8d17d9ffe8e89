/** The contract as a page: every call, what it takes, what it answers, and every field. */

import { copyButton, fill, h } from "./dom.js";

const app = document.getElementById("app");

start();

async function start() {
  try {
    const response = await fetch("/openapi.json");
    if (!response.ok) throw new Error(`status ${response.status}`);
    show(await response.json());
  } catch (error) {
    fill(
      app,
      h(
        "main.signin",
        { id: "main" },
        h("h1", "API"),
        h("p", { role: "alert" }, `The contract could not be loaded (${error.message}). Load the page again.`),
      ),
    );
  }
}

function show(contract) {
  const calls = Object.entries(contract.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), ...operation })),
  );
  const sections = contract.tags.map((tag) => [tag, calls.filter((call) => call.tags.includes(tag.name))]);
  const models = Object.entries(contract.components.schemas);
  fill(
    app,
    h(
      "header.bar",
      h("a.brand", { href: "/" }, h("span.mark", { "aria-hidden": "true" }), "Publisher"),
      h(
        "nav",
        { "aria-label": "Contents" },
        h(
          "ul",
          contract.tags.map((tag) => h("li", h("a", { href: `#${idOf(tag.name)}` }, tag.name))),
          h("li", h("a", { href: "#models" }, "Models")),
        ),
      ),
    ),
    h(
      "main.page",
      { id: "main" },
      h("h1", "API"),
      h("p", contract.info.summary, " ", h("a", { href: "/openapi.json" }, "The same as OpenAPI 3.1"), "."),
      search(),
      sections.map(([tag, found]) =>
        h(
          "section.stack",
          { id: idOf(tag.name), "aria-label": tag.name },
          h("h2", tag.name),
          h("p.soft", tag.description),
          found.map(described),
        ),
      ),
      h(
        "section.stack",
        { id: "models", "aria-label": "Models" },
        h("h2", "Models"),
        models.map(([name, schema]) =>
          h("details.card", { id: `model-${name}` }, h("summary", h("code", name)), model(schema)),
        ),
      ),
    ),
  );
}

function search() {
  const input = h("input", { type: "search", id: "find", placeholder: "posts, quota, 429 …" });
  const none = h("p.soft", { role: "status" });
  input.addEventListener("input", () => {
    const wanted = input.value.trim().toLowerCase();
    let shown = 0;
    for (const call of app.querySelectorAll("details[data-text]")) {
      call.hidden = !call.dataset.text.includes(wanted);
      shown += call.hidden ? 0 : 1;
    }
    none.textContent = shown ? "" : "No call has this word.";
  });
  return h("div.field", h("label", { for: "find" }, "Find a call"), input, none);
}

function described(operation) {
  const { method, path, summary, description, parameters, requestBody, responses } = operation;
  const text = [
    method,
    path,
    summary,
    ...Object.keys(responses),
    ...Object.values(responses).map((one) => one.description),
  ];
  return h(
    "details.card",
    { id: operation.operationId, "data-text": text.join(" ").toLowerCase() },
    h("summary", h("span.badge", method), " ", h("code", path), " ", h("span.soft", summary)),
    description && h("p", words(description)),
    parameters.length > 0 &&
      table(
        "Parameters",
        ["Name", "Where", "Type", "Meaning"],
        parameters.map((one) => [
          h("code", one.name, one.required ? " *" : ""),
          one.in,
          type(one.schema),
          words(one.description),
        ]),
      ),
    requestBody && body(requestBody),
    h("h3", "Answers"),
    Object.entries(responses).map(([status, answer]) => answered(status, answer)),
  );
}

function body(requestBody) {
  return [
    h("h3", "Body"),
    Object.entries(requestBody.content).map(([kind, { schema, examples, example }]) =>
      h(
        "div.stack",
        h("p", h("code", kind), " ", type(schema)),
        Object.values(examples ?? (example ? { example: { summary: "Example", value: example } } : {})).map(
          ({ summary, value }) => sample(summary, value),
        ),
      ),
    ),
  ];
}

function answered(status, { description, content, headers }) {
  return h(
    "div.stack",
    h(
      "p",
      h(`span.badge.${status < "400" ? "good" : "warn"}`, status),
      " ",
      Object.entries(content ?? {}).map(([kind, { schema }]) => [h("code", kind), " ", type(schema), " "]),
    ),
    description.split("\n\n").map((line) => h("p.small", words(line))),
    headers && h("p.small.soft", "Headers: ", Object.keys(headers).join(", ")),
    Object.values(content ?? {})
      .filter(({ example }) => example && status < "400")
      .map(({ example }) => sample("Example", example)),
  );
}

function sample(title, value) {
  const text = typeof value === "string" ? value : JSON.stringify(value, null, 2);
  return h(
    "details",
    h("summary", title),
    h("pre", { tabindex: "0", role: "region", "aria-label": title }, text),
    copyButton("Copy", text),
  );
}

function model(schema) {
  if (schema.enum)
    return h(
      "p",
      schema.enum.map((value) => [h("code", value), " "]),
    );
  const required = new Set(schema.required ?? []);
  return [
    schema.description && h("p", schema.description),
    schema.properties &&
      table(
        "Fields",
        ["Name", "Type", "Meaning"],
        Object.entries(schema.properties).map(([name, field]) => [
          h("code", name, required.has(name) ? " *" : ""),
          type(field),
          words(field.description),
        ]),
      ),
  ];
}

/** A text in which what stands between backticks is code. */
function words(text) {
  return text.split("`").map((part, number) => (number % 2 ? h("code", part) : part));
}

/** Name the type of a schema; a model's name leads to it. */
function type(schema) {
  if (schema.$ref) return link(schema.$ref);
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return choices.map((one, number) => [number > 0 && " or ", type(one)]);
  if (schema.type === "array") return ["list of ", type(schema.items ?? {})];
  if (schema.enum) return schema.enum.join(" or ");
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  return schema.format ? `${schema.type} (${schema.format})` : (schema.type ?? "anything");
}

function link(reference) {
  const name = reference.split("/").pop();
  return h(
    "a",
    {
      href: `#model-${name}`,
      onclick: () => {
        document.getElementById(`model-${name}`).open = true;
      },
    },
    name,
  );
}

function table(label, heads, rows) {
  return h(
    "div.table",
    { tabindex: "0", role: "region", "aria-label": label },
    h(
      "table",
      h(
        "thead",
        h(
          "tr",
          heads.map((head) => h("th", { scope: "col" }, head)),
        ),
      ),
      h(
        "tbody",
        rows.map((row) =>
          h(
            "tr",
            row.map((cell) => h("td", cell)),
          ),
        ),
      ),
    ),
  );
}

function idOf(name) {
  return name.toLowerCase().replaceAll(" ", "-");
}
