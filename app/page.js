() => {
  // What happens in the browser alone: names for screen readers, what scrolls and has the focus, and words
  // that must not wait for the server. The events in the tabs call `window.ladi`.
  const part = (where) => document.querySelector(where);
  const calm = window.matchMedia('(prefers-reduced-motion: reduce)');
  const LOOKING = {person: 'Looking at your photo …', garment: 'Looking at the garment …'};
  const UNLABELLED = {result: 'Result', preview: 'In progress'};
  const note = (words) => `<p class="hint" role="status">${words}</p>`;
  const soon = (work) => setTimeout(work, 150);  // Gradio has not laid out yet what it was just given

  // On a phone the button covers the foot of the screen.
  const foot = () => {
    const bar = part('#go');
    const fixed = bar?.offsetHeight && getComputedStyle(bar).position === 'fixed';
    return fixed ? bar.getBoundingClientRect().top : window.innerHeight;
  };
  const seen = (where) => {
    const box = part(where)?.getBoundingClientRect();
    return !box || (box.top >= 0 && box.bottom <= foot());
  };
  const scroll_to = (where) => part(where)?.scrollIntoView(
    {block: 'start', behavior: calm.matches ? 'auto' : 'smooth'});
  // Whoever pressed a button finds the focus on the one that has taken its place, as soon as that is there.
  const focus_again = (from, to, tries = 20) => {
    const [active, target] = [document.activeElement, part(to)];
    if (active && active !== document.body && !active.closest(from)) return;
    if (target?.offsetParent) target.focus({preventScroll: true});
    else if (tries) setTimeout(() => focus_again(from, to, tries - 1), 100);
  };

  // What results were made from, by tab, and how often the area to repaint was drawn on, by photo.
  const tabs = {};
  const strokes = {};
  let photo;
  const results_of = (tab) => (tabs[tab.tab] ??= {made: {}});
  const flat = (value) => JSON.stringify(value, (_, one) => one?.path ?? one);
  const made_from = (tab, start, values) => {
    const settings = Object.fromEntries(
      tab.settings.map((name, index) => [name, values[tab.pictures + index]])
        .map(([name, value]) => [name, Array.isArray(value) ? [...value].sort() : value]));  // as ticked
    const ignored = new Set(tab.ignored[start]);
    tab.axes.filter((axis) => !ignored.has(axis)).forEach((axis) => ignored.add(settings[axis]));
    ignored.forEach((name) => delete settings[name]);
    const pictures = values.slice(0, tab.pictures);
    return {
      start,
      settings,
      pictures: pictures.map((one) => (!one || one.length === 0 ? '' : flat(one))),
      area: tab.area ? strokes[pictures[0]?.path] : undefined,
    };
  };

  window.ladi = {
    // A picture was given or taken away: a refusal's cause may be gone.
    changed: (name, picture, ...overruled) => {
      // A refusal that was overruled was another garment's, unless this is the same one, turned.
      const same = name in window.ladi.turning;
      if (name === 'person') {
        if (same && picture) strokes[picture.path] = strokes[photo];
        photo = picture?.path;
      }
      delete window.ladi.turning[name];
      return [picture ? note(LOOKING[name]) : '', '', ...overruled.map((yes) => yes && same)];
    },
    without_refusal: (said) => ((said ?? '').includes('note problem') ? '' : said),
    // By how many degrees a picture is being turned.
    turning: {},
    not_turned: (name) => {
      delete window.ladi.turning[name];
      document.querySelectorAll(`a[href^="#turn-${name}-"]`).forEach((one) => { one.textContent = 'Turn it'; });
    },
    // An answer to an earlier question must not wipe away that a newer picture is being looked at.
    still_looking: (person, garment, found_person, found_garment) => [
      person && !found_person ? note(LOOKING.person) : found_person,
      garment && !found_garment ? note(LOOKING.garment) : found_garment,
    ],
    // On narrow screens: to the progress, and in the end to the result or the refusal, where they are not seen.
    started: (button, cancel, status, view) => soon(() => {
      focus_again(button, cancel);
      if (window.innerWidth < 1000 && !seen(status)) scroll_to(view);
    }),
    ended: (button, cancel, said, view, result) => soon(() => {
      focus_again(cancel, button);
      const refused = part(`${said} .note.problem`) && !seen(said);
      if (refused) part(said).scrollIntoView({block: 'center'});
      else if (window.innerWidth < 1000 && part(result) && !seen(result)) scroll_to(view);
    }),
    // Something was asked for, a result was opened, or what results are made from may have changed: earlier.py.
    asked: (tab, start, ...values) => { results_of(tab).asked = made_from(tab, start, values); },
    opened: (tab, mark, used, ...values) => {
      const results = results_of(tab);
      if (mark !== results.mark) {
        results.mark = mark;
        [results.shown] = mark.split('#');
        const {made, shown, asked} = results;
        // A result of before has brought its settings along, which say more than when it was asked for.
        made[shown] = shown in made
          ? {...made[shown], settings: made_from(tab, made[shown].start, values).settings}
          : asked;
      }
      return window.ladi.compared(tab, used, ...values);
    },
    compared: (tab, used, ...values) => {
      const {made, shown} = results_of(tab);
      const then = shown && made[shown];
      if (!then) return '';
      const now = made_from(tab, then.start, values);
      if (now.settings.seed === used) now.settings.seed = then.settings.seed;
      const pictures = flat(now.pictures) === flat(then.pictures);
      if (pictures && now.area === then.area && flat(now.settings) === flat(then.settings)) return '';
      // Without a picture that was there, pressing the button would only lead to a refusal.
      const again = now.pictures.every((one, index) => one || !then.pictures[index])
        ? ` <span class="again">Press “${tab.button}” to make ${tab.it} anew.</span>` : '';
      return `<p>Made with earlier ${pictures ? 'settings' : 'pictures'}.${again}</p>`;
    },
    view: (which) => {
      part('#outcome').dataset.view = which;
      soon(() => window.dispatchEvent(new Event('resize')));  // the slider measures itself anew
    },
    paint: (on) => { part('#mask-editor').toggleAttribute('data-paint', on); },
    // The address of this page with the settings of the result in it; pictures stay where they are.
    link: async (names, seed, values) => {
      const address = new URL(window.location.pathname, window.location.origin);
      const {made, shown} = tabs.earlier ?? {};
      const then = made?.[shown]?.settings ?? {};
      names.forEach((name, index) => address.searchParams.set(name, then[name] ?? values[index]));
      if (seed) address.searchParams.set('seed', seed);
      try {
        await navigator.clipboard.writeText(address.href);
        return note('Link copied. It carries the settings and the seed, and no picture.');
      } catch {
        return note(`This link carries the settings: <a href="${address.href}">${address.host}</a>`);
      }
    },
    // What a link says, in place of what this browser remembers; nothing that is of another type.
    settings: (names, saved, current) => {
      const fits = Array.isArray(saved) && saved.length === current.length
        && saved.every((value, index) => typeof value === typeof current[index]);
      const asked = new URLSearchParams(window.location.search);
      const read = {
        number: (text) => (Number.isFinite(Number(text)) ? Number(text) : undefined),
        boolean: (text) => text === 'true',
        string: (text) => text,
      };
      return (fits ? saved : current).map((value, index) => {
        const text = asked.get(names[index]);
        return text === null ? value : read[typeof current[index]]?.(text) ?? value;
      });
    },
    // Each tab has an address of its own. What is selected is looked at, not Gradio's events, which may come late.
    open_tab: () => {
      const name = new URLSearchParams(window.location.search).get('tab');
      if (name) part(`#tabs [role=tab][data-tab-id='${CSS.escape(name)}']`)?.click();
      let last = part('#tabs [role=tab][aria-selected=true]')?.dataset.tabId;
      new MutationObserver(() => {
        const now = part('#tabs [role=tab][aria-selected=true]')?.dataset.tabId;
        if (!now || now === last) return;
        last = now;
        const address = new URL(window.location.href);
        address.searchParams.set('tab', now);
        window.history.replaceState(window.history.state, '', address);
      }).observe(part('#tabs'), {subtree: true, childList: true, attributeFilter: ['aria-selected']});
    },
    copy: async () => {
      try {
        const answer = await fetch(part('#result img').src);
        await navigator.clipboard.write([new ClipboardItem({'image/png': answer.blob()})]);
        return note('Copied: paste it where you like.');
      } catch {
        return note('This browser does not let the page copy pictures: download it instead.');
      }
    },
  };

  // Links in what is said: to overrule a refusal, to turn a picture, and to the full model, told in the fold at
  // the foot.
  document.addEventListener('click', (event) => {
    const turn = event.target.closest('a[href^="#turn-"]');
    if (turn) {
      event.preventDefault();
      const [, name, degrees] = turn.hash.match(/^#turn-(\w+)-(\d+)$/);
      if (name in window.ladi.turning) return;
      window.ladi.turning[name] = degrees;
      turn.textContent = 'Turning …';
      part(`#turn-${name}`).click();
    }
    if (event.target.closest('a[href="#overrule"]')) {
      event.preventDefault();
      part('#overrule').click();
    }
    if (!event.target.closest('a[href="#about"]')) return;
    event.preventDefault();
    const fold = part('#about button.label-wrap');
    if (fold && !fold.classList.contains('open')) fold.click();
    soon(() => scroll_to('#about'));
  });

  // What is drawn on the area to repaint, which Gradio's events do not tell from what the server gives.
  const drawn = () => { strokes[photo] = (strokes[photo] ?? 0) + 1; };
  document.addEventListener('pointerdown', (event) => {
    const panning = part('#mask-editor button[aria-label=Pan].highlight');
    if (!panning && event.target.closest('#mask-editor canvas')) drawn();
  }, true);
  document.addEventListener('click', (event) => {
    if (event.target.closest('#mask-editor :is([aria-label=Undo], [aria-label=Redo])')) drawn();
    if (event.target.closest('#reset-mask')) delete strokes[photo];
  }, true);

  const named = (one, name) => { if (name && one.ariaLabel !== name) one.ariaLabel = name; };
  const words = (one) => one.innerText.replace(/\s+/g, ' ').trim();
  const name_all = () => {
    document.querySelectorAll('.block.earlier').forEach((one) => {
      if (one.ariaLive !== 'polite') one.ariaLive = 'polite';
    });
    document.querySelectorAll('.example-row').forEach((row) => {
      const label = words(row.querySelector('.label') || row);
      row.querySelectorAll('.gallery-item').forEach((item, index) => named(item, `${label}: ${index + 1}`));
    });
    document.querySelectorAll('button.upload-container, button.thumbnail-item')
      .forEach((one) => named(one, words(one)));
    document.querySelectorAll('.image-container button:has(> .image-frame)').forEach((one) => {
      const block = one.closest('.block');
      const label = block.querySelector('[data-testid="block-label"]');
      named(one, (label && words(label)) || UNLABELLED[block.id]);
    });
  };
  let waiting = false;
  new MutationObserver(() => {
    if (waiting) return;
    waiting = true;
    setTimeout(() => { waiting = false; name_all(); }, 200);
  }).observe(document.body, {childList: true, subtree: true});
  name_all();
}
