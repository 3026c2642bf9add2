"use strict";

// In a file of its own: the page's Content-Security-Policy allows no script within it.
window.SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#documentation",
  presets: [window.SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
  deepLinking: true,
  // There are many operations; each is rendered when the reader opens it.
  docExpansion: "none",
  defaultModelsExpandDepth: 0,
  filter: true,
  displayRequestDuration: true,
  persistAuthorization: false,
  // It would send the document to another company's server.
  validatorUrl: null,
});
