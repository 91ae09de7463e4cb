// Puts the number of items in the cart beside the word. The page itself is the same for everybody, and does without.
addEventListener("pageshow", async () => {
  const answer = await fetch("/cart.json");
  if (!answer.ok) return;
  const { items } = await answer.json();
  const badge = document.getElementById("badge");
  badge.textContent = items;
  badge.hidden = items === 0;
});
