// In a file of its own: the page's policy allows no inline script.
window.addEventListener("load", () => {
  const place = document.getElementById("swagger-ui");
  window.ui = SwaggerUIBundle({
    url: place.dataset.openapi,
    domNode: place,
    deepLinking: true,
    layout: "BaseLayout",
    // The validator is somebody else's server, and would be told the document's address.
    validatorUrl: null,
  });
});
