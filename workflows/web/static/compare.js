// Two pictures, one over the other: the slider says how much of the first is seen.

for (const slider of document.querySelectorAll(".pair .slider input")) {
  const pictures = slider.closest(".pair").querySelector("[data-slide]");
  const show = () => pictures.style.setProperty("--at", `${slider.value}%`);
  slider.addEventListener("input", show);
  show();
  pictures.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    const follow = ({ clientX }) => {
      const { left, width } = pictures.getBoundingClientRect();
      slider.value = String((100 * (clientX - left)) / width);
      show();
    };
    follow(event);
    pictures.setPointerCapture(event.pointerId);
    pictures.addEventListener("pointermove", follow);
    pictures.addEventListener("pointerup", () => pictures.removeEventListener("pointermove", follow), { once: true });
    event.preventDefault();
  });
}
