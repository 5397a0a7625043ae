//! Curves as a picture, in an SVG file.

use std::fmt::Write;

const WIDTH: f64 = 1200.0;
const LEFT: f64 = 80.0;
const RIGHT: f64 = 1100.0;
const TOP: f64 = 90.0;
const HEIGHT: f64 = 150.0;
/// From one panel to the next.
const STRIDE: f64 = 235.0;
const COLOURS: [&str; 2] = ["#1f5fa8", "#c2501c"];

/// Curves that share an axis, which begins at 0.
pub struct Panel {
    /// What it shows, with the unit.
    pub title: String,
    /// Each with its name, and a value for each point in time; none where there is none.
    pub curves: Vec<(&'static str, Vec<Option<f64>>)>,
}

/// Panels one below the other, over one axis of time.
pub struct Chart {
    /// What it is of.
    pub title: String,
    /// What is said below the title.
    pub note: String,
    /// The unit of time.
    pub unit: &'static str,
    /// The points in time.
    pub times: Vec<f64>,
    /// Where something happened.
    pub marks: Vec<f64>,
    /// The curves.
    pub panels: Vec<Panel>,
}

impl Chart {
    /// The text of the file.
    pub fn svg(&self) -> String {
        let height = TOP + STRIDE * self.panels.len() as f64;
        let mut svg = format!(
            r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="14" fill="#333">
<rect width="100%" height="100%" fill="#fff"/>
"##
        );
        text(&mut svg, LEFT, 32.0, r#"font-size="20" font-weight="bold""#, &self.title);
        text(&mut svg, LEFT, 56.0, "", &self.note);
        for (place, panel) in self.panels.iter().enumerate() {
            self.panel(&mut svg, panel, TOP + STRIDE * place as f64 + 26.0);
        }
        svg + "</svg>\n"
    }

    fn panel(&self, svg: &mut String, panel: &Panel, top: f64) {
        let bottom = top + HEIGHT;
        let highest = panel.curves.iter().flat_map(|(_, values)| values.iter().flatten()).fold(0.0, |a: f64, b| a.max(*b));
        let (step, last) = (nice(highest / 4.0), self.times.last().copied().unwrap_or(0.0));
        let (x_step, x_max) = (nice(last / 10.0), if last > 0.0 { last } else { 1.0 });
        let y_max = step * (highest / step).ceil().max(1.0);
        let x = |time: f64| LEFT + (RIGHT - LEFT) * time / x_max;
        let y = |value: f64| bottom - HEIGHT * value / y_max;
        text(svg, LEFT, top - 12.0, r#"font-weight="bold""#, &panel.title);
        for mark in self.marks.iter().map(|it| x(*it)) {
            line(svg, (mark, top), (mark, bottom), r##"stroke="#c33" stroke-dasharray="2 4""##);
        }
        for value in (0..).map(|it| step * f64::from(it)).take_while(|it| *it <= y_max + step / 2.0) {
            line(svg, (LEFT, y(value)), (RIGHT, y(value)), r##"stroke="#ddd""##);
            text(svg, LEFT - 8.0, y(value) + 5.0, r#"text-anchor="end""#, &shown(value));
        }
        for time in (0..).map(|it| x_step * f64::from(it)).take_while(|it| *it <= x_max) {
            line(svg, (x(time), bottom), (x(time), bottom + 5.0), r##"stroke="#333""##);
            text(svg, x(time), bottom + 20.0, r#"text-anchor="middle""#, &shown(time));
        }
        text(svg, RIGHT + 24.0, bottom + 20.0, "", self.unit);
        for (place, (name, values)) in panel.curves.iter().enumerate() {
            let colour = COLOURS[place % COLOURS.len()];
            let points: Vec<(f64, f64)> = self.times.iter().zip(values).filter_map(|(time, it)| Some((x(*time), y((*it)?)))).collect();
            let joined: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
            let _ = writeln!(svg, r#"<polyline points="{}" fill="none" stroke="{colour}" stroke-width="2"/>"#, joined.join(" "));
            if panel.curves.len() > 1 {
                let at = points.last().map_or(bottom, |(_, y)| *y);
                text(svg, RIGHT + 10.0, at + 5.0, &format!(r#"fill="{colour}""#), name);
            }
        }
    }
}

/// The next of 1, 2, 5, 10, and so on.
fn nice(value: f64) -> f64 {
    if value <= 0.0 {
        return 1.0;
    }
    let power = 10_f64.powf(value.log10().floor());
    [1.0, 2.0, 5.0, 10.0].map(|it| it * power).into_iter().find(|it| *it >= value * 0.999).unwrap_or(10.0 * power)
}

fn shown(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn text(svg: &mut String, x: f64, y: f64, style: &str, text: &str) {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    let _ = writeln!(svg, r#"<text x="{x:.1}" y="{y:.1}" {style}>{text}</text>"#);
}

fn line(svg: &mut String, from: (f64, f64), to: (f64, f64), style: &str) {
    let _ = writeln!(svg, r#"<line x1="{:.1}" y1="{:.1}" x2="{:.1}" y2="{:.1}" {style}/>"#, from.0, from.1, to.0, to.1);
}
