"use strict";

const ADDRESS = "/openapi.json";
const gate = document.getElementById("gate");
const wanted = document.getElementById("key");
let key = "";

function keyed(headers) {
  return key ? { ...headers, "X-API-Key": key } : headers;
}

async function start() {
  const answer = await fetch(ADDRESS, { headers: keyed({ Accept: "application/json" }) });
  if (answer.status === 401 || answer.status === 403) {
    document.getElementById("why").textContent = key
      ? "This key is not taken; try another."
      : "This service asks for an API key before it says what it answers.";
    gate.hidden = false;
    wanted.focus();
    return;
  }
  gate.hidden = true;
  SwaggerUIBundle({
    spec: await answer.json(),
    dom_id: "#docs",
    deepLinking: true,
    displayRequestDuration: true,
    docExpansion: "none",
    filter: true,
    persistAuthorization: false,
    validatorUrl: null,
    requestInterceptor: (request) => {
      request.headers = keyed(request.headers);
      return request;
    },
  });
}

const dark = window.matchMedia("(prefers-color-scheme: dark)");
const shade = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", shade);
shade();

gate.addEventListener("submit", (event) => {
  event.preventDefault();
  key = wanted.value.trim();
  start();
});
start();
