import type { ComponentType } from "react";
import { GROUP_SECTIONS } from "./group/sections.tsx";
import { OBJECTIVE_SECTIONS } from "./objective/sections.tsx";
import { PATH_SECTIONS } from "./path/sections.tsx";
import { REWARDS_SECTIONS } from "./rewards/sections.tsx";
import { THOUGHT_SECTIONS } from "./thought/sections.tsx";

interface Chapter {
  readonly title: "chapter1" | "chapter2" | "chapter3" | "chapter4" | "chapter5";
  /** Each is one screen of a presentation. */
  readonly sections: readonly ComponentType[];
}

export const CHAPTERS: readonly Chapter[] = [
  { title: "chapter1", sections: THOUGHT_SECTIONS },
  { title: "chapter2", sections: REWARDS_SECTIONS },
  { title: "chapter3", sections: GROUP_SECTIONS },
  { title: "chapter4", sections: OBJECTIVE_SECTIONS },
  { title: "chapter5", sections: PATH_SECTIONS },
];

export const SECTION_COUNTS: readonly number[] = CHAPTERS.map(({ sections }) => sections.length);
