// A workflow as a picture: from start to stop, and during a run where it stands.

import {
  Background, Controls, Handle, MarkerType, MiniMap, Position, ReactFlow, ReactFlowProvider,
  useNodesState, useReactFlow, type Edge as FlowEdge, type Node as FlowNode, type NodeProps,
} from "@xyflow/react";
import { toPng, toSvg } from "html-to-image";
import { memo, useEffect, useMemo, useRef, useState } from "react";
import type { Graph } from "../api";
import { drawn, layout, type Placed } from "../model/graph";
import { keep } from "../model/inputs";
import { edge, leading, type Counts, type Phase, type Picture } from "../model/run";
import { PHASES } from "./common";

interface Data extends Record<string, unknown> {
  label: string;
  about: string;
  language?: string;
  kind: Placed["type"];
  counts?: Counts;
  flowed?: number;
  picked: boolean;
  live: boolean;
}
type Node = FlowNode<Data>;

interface Props {
  graph: Graph;
  /** What steps are written in, where that differs. */
  languages?: Map<string, string>;
  picture?: Picture;
  /** Edges that the run is known to have beside the declared ones, when the picture is first drawn. */
  also?: { source: string; target: string }[];
  picked?: string;
  pick?: (id: string) => void;
}

export function GraphView(props: Props) {
  return (
    <ReactFlowProvider>
      <Flow {...props} />
    </ReactFlowProvider>
  );
}

const kept = (name: string): string => `wf-host positions ${name}`;

function positions(name: string): Record<string, { x: number; y: number }> {
  try {
    return JSON.parse(localStorage.getItem(kept(name)) ?? "{}") as Record<string, { x: number; y: number }>;
  } catch {
    return {};
  }
}

function Flow({ graph, languages, picture, also, picked, pick }: Props) {
  // What is learned later moves nothing.
  const [first] = useState(also);
  const frame = useRef<HTMLDivElement>(null);
  const flow = useReactFlow();
  const placed = useMemo(() => layout(graph, first), [graph, first]);
  const initial = useMemo(() => {
    const moved = positions(graph.name);
    return placed.map((node): Node => ({
      id: node.id,
      type: "box",
      position: moved[node.id] ?? { x: node.x, y: node.y },
      width: node.width,
      height: node.height,
      data: { label: node.id, about: "", kind: node.type, picked: false, live: false },
    }));
  }, [graph.name, placed]);
  const [nodes, setNodes, onNodesChange] = useNodesState(initial);
  useEffect(() => setNodes(initial), [initial, setNodes]);

  const about = useMemo(() => new Map(graph.nodes.map((node) => [node.id, node.description ?? ""])), [graph]);
  const shown = useMemo(
    () =>
      nodes.map((node) => ({
        ...node,
        data: {
          ...node.data,
          label: node.data.kind === "external" ? "outside" : node.id,
          about: about.get(node.id) ?? "",
          language: languages?.get(node.id),
          counts: picture?.steps.get(node.id),
          flowed: node.data.kind === "event" ? flowed(graph, picture, node.id) : undefined,
          picked: picked === node.id,
          live: !!picture,
        },
      })),
    [nodes, about, languages, picture, picked, graph],
  );
  const left = useMemo(() => new Map(placed.map((node) => [node.id, node.x])), [placed]);
  const edges = useMemo(
    () =>
      drawn(graph, picture).map(({ source, target, declared }): FlowEdge => {
        const count = picture?.flows.get(edge(source, target)) ?? 0;
        return {
          id: edge(source, target),
          source,
          target,
          // Back to the beginning of the next line, around what is between.
          type: (left.get(target) ?? 0) <= (left.get(source) ?? 0) ? "smoothstep" : "default",
          label: count > 0 ? `×${count}` : undefined,
          className: picture ? (count > 0 ? "flowed" : "unused") : undefined,
          style: declared ? undefined : { strokeDasharray: "5 4" },
          markerEnd: { type: MarkerType.ArrowClosed, width: 14, height: 14 },
        };
      }),
    [graph, picture, left],
  );

  const moved = () => {
    const all = Object.fromEntries(flow.getNodes().map((node) => [node.id, node.position]));
    keep(kept(graph.name), JSON.stringify(all));
  };
  const reset = () => {
    localStorage.removeItem(kept(graph.name));
    setNodes(placed.map((node, at) => ({ ...(initial[at] as Node), position: { x: node.x, y: node.y } })));
    window.requestAnimationFrame(() => void flow.fitView({ padding: 0.1 }));
  };
  const [unsaved, setUnsaved] = useState(false);
  const save = async (kind: "svg" | "png") => {
    setUnsaved(false);
    const view = frame.current?.querySelector<HTMLElement>(".react-flow__viewport");
    if (!view) return;
    const bounds = flow.getNodesBounds(flow.getNodes());
    const options = {
      width: bounds.width + 48,
      height: bounds.height + 48,
      backgroundColor: getComputedStyle(document.body).backgroundColor,
      style: { transform: `translate(${24 - bounds.x}px, ${24 - bounds.y}px)` },
      pixelRatio: 2,
    };
    const link = document.createElement("a");
    try {
      link.href = kind === "svg" ? await toSvg(view, options) : await toPng(view, options);
    } catch {
      return setUnsaved(true);
    }
    link.download = `${graph.name}.${kind}`;
    link.click();
  };
  const full = () => void (document.fullscreenElement ? document.exitFullscreen() : frame.current?.requestFullscreen());

  return (
    <div
      className="graph"
      ref={frame}
      role="region"
      aria-label={`Graph of ${graph.name}`}
      onKeyDown={({ key, target }) => {
        const id = target instanceof HTMLElement ? target.closest(".react-flow__node")?.getAttribute("data-id") : undefined;
        if (id && (key === "Enter" || key === " ")) pick?.(id);
      }}
    >
      <div className="tools">
        {unsaved && <span className="field-error" role="alert">The picture could not be made</span>}
        <span className="grow" />
        <button className="quiet small" onClick={reset}>Tidy</button>
        <button className="quiet small" onClick={full}>Full screen</button>
        <button className="quiet small" onClick={() => void save("svg")}>SVG</button>
        <button className="quiet small" onClick={() => void save("png")}>PNG</button>
      </div>
      <ReactFlow
        nodes={shown}
        edges={edges}
        nodeTypes={TYPES}
        onNodesChange={onNodesChange}
        onNodeDragStop={moved}
        onNodeClick={(_, node) => pick?.(node.id)}
        fitView
        fitViewOptions={{ padding: 0.1, maxZoom: 1.2 }}
        minZoom={0.02}
        maxZoom={2.5}
        nodesConnectable={false}
        edgesFocusable={false}
        deleteKeyCode={null}
        onlyRenderVisibleElements={graph.nodes.length > 150}
        proOptions={{ hideAttribution: true }}
      >
        <Background gap={24} size={1} />
        <Controls orientation="horizontal" showInteractive={false} fitViewOptions={{ padding: 0.1 }} />
        {graph.nodes.length > 12 && <MiniMap pannable zoomable ariaLabel="Overview" />}
      </ReactFlow>
    </div>
  );
}

function flowed(graph: Graph, picture: Picture | undefined, event: string): number | undefined {
  if (!picture) return undefined;
  const around = graph.edges.filter((it) => it.source === event || it.target === event);
  return around.reduce((most, it) => Math.max(most, picture.flows.get(edge(it.source, it.target)) ?? 0), 0);
}

const Box = memo(function Box({ data }: NodeProps<Node>) {
  const phase = leading(data.counts);
  const used = data.kind === "step" ? !!phase : (data.flowed ?? 0) > 0;
  const classes = ["node", data.kind, phase ?? "", data.picked ? "picked" : "", data.live && !used ? "unused" : ""];
  return (
    <div className={classes.join(" ")} title={data.about}>
      <Handle type="target" position={Position.Left} isConnectable={false} />
      <span className="name">{data.label}</span>
      {data.language && <span className="language">{data.language}</span>}
      {data.kind === "step" && data.counts && (
        <span className="counts">
          {(Object.entries(data.counts) as [Phase, number][]).map(([name, count]) => (
            <span key={name} className={name} title={PHASES[name].text}>
              {PHASES[name].sign}
              <span className="sr"> {PHASES[name].text}</span> {count}
            </span>
          ))}
        </span>
      )}
      <Handle type="source" position={Position.Right} isConnectable={false} />
    </div>
  );
});

const TYPES = { box: Box };
