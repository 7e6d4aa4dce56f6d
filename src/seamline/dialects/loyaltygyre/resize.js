(function () {
  "use strict";
  var origin = document.currentScript.getAttribute("data-origin");
  var frame = document.getElementById("loyaltygyre");
  window.addEventListener("message", function (event) {
    // Any page can send messages; only the frame's own are believed, and only as far as they go.
    if (event.origin !== origin || event.source !== frame.contentWindow) {
      return;
    }
    var told = event.data;
    if (told === null || typeof told !== "object") {
      return;
    }
    var height = told.iframeHeight;
    if (typeof height === "number" && isFinite(height) && height >= 100 && height <= 10000) {
      frame.style.height = height + "px";
    }
  });
})();
