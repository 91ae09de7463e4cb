//! Names that look like ours. The values are genuine, so that nothing but the name can make the difference.

use super::common::Call;
use super::site::{LOGIN, SESSION, Site, VISITOR, pair, value};

/// Names under which some parser or other finds `__Host-Http-session`.
fn disguises(value: &str) -> Vec<Vec<u8>> {
    let names = [
        "%5F%5FHost-Http-session",
        "%5f%5fHost-Http-session",
        "__Host-Http-sessio%6E",
        "%5F%5FHost%2DHttp%2Dsession",
        "__host-http-session",
        "__HOST-HTTP-SESSION",
        "__Host-http-session",
        "__Host-Http-Session",
        "session",
        "__Host-session",
        "__Http-session",
        "__Secure-session",
        "__Host-Http-sessions",
        "__Host-Http-sessio",
        "_Host-Http-session",
        "x__Host-Http-session",
        "__Host-Http-session[]",
        "__Host-Http-session.0",
        "__Host-Http-session%00",
        "\"__Host-Http-session\"",
        "'__Host-Http-session'",
        "$__Host-Http-session",
        "=__Host-Http-session",
        "==__Host-Http-session",
        "a=__Host-Http-session",
        "$Version=1, __Host-Http-session",
        "$Version=\"1\",__Host-Http-session",
        "a=b,__Host-Http-session",
        "a=b&__Host-Http-session",
        "a=\"b __Host-Http-session",
        "__Host-Http-session ",
        "__Host-Http-session\t",
        "__Host-Http-session=",
        "__Host-Http-session= ",
        "__Host-Http-session=\t",
        "__Host-Http-session=$",
        "\u{2000}__Host-Http-session",
        "\u{2003}__Host-Http-session",
        "\u{3000}__Host-Http-session",
        "\u{a0}__Host-Http-session",
        "\u{85}__Host-Http-session",
        "\u{feff}__Host-Http-session",
        "\u{200b}__Host-Http-session",
        "__Host-Http-session\u{a0}",
        "__Host-Http-session\u{2000}",
        "＿＿Host-Http-session",
        "__Host‐Http‐session",
        "__Hoſt-Http-ſeſſion",
    ];
    let mut all: Vec<_> = names.iter().map(|name| format!("{name}={value}").into_bytes()).collect();
    all.extend([b"\xa0", b"\x85", b"\xff", b"\x80"].map(|byte| [&byte[..], pair_of(value).as_bytes()].concat()));
    all.extend(
        ["\"V\"", "'V'", "\"V", "V\"", "V\u{a0}", "\u{2000}V", "V,V", "V%20", "V=", "=V", "V V"]
            .map(|wrapped| format!("{SESSION}={}", wrapped.replace('V', value)).into_bytes()),
    );
    all.extend([":", " ", "", "%3D", ",", "\u{ff1d}"].map(|sign| format!("{SESSION}{sign}{value}").into_bytes()));
    all
}

fn pair_of(value: &str) -> String {
    format!("{SESSION}={value}")
}

#[tokio::test]
async fn a_disguised_name_or_value_is_never_ours() {
    let site = Site::new();
    let planted = site.visitor_with("planted").await;
    let disguises = disguises(value(&planted, SESSION));
    assert_eq!(site.note(&[pair(&planted, SESSION).into()]).await, ("planted".into(), vec![Call::Load]), "undisguised");
    for disguise in disguises {
        let shown = String::from_utf8_lossy(&disguise).into_owned();
        assert_eq!(site.note(&[disguise]).await, (String::new(), vec![]), "{shown}");
    }
}

#[tokio::test]
async fn a_disguise_beside_ours_changes_nothing() {
    let site = Site::new();
    let [mine, planted] = [site.visitor_with("mine").await, site.visitor_with("planted").await];
    let ours = pair(&mine, SESSION).into_bytes();
    let expected = (String::from("mine"), vec![Call::Load]);
    for disguise in disguises(value(&planted, SESSION)) {
        let shown = String::from_utf8_lossy(&disguise).into_owned();
        for order in [[&ours, &disguise], [&disguise, &ours]] {
            let together = order.map(|pair| &pair[..]).join(&b"; "[..]);
            assert_eq!(site.note(&[together]).await, expected, "in one header: {shown}");
            assert_eq!(site.note(&order.map(Clone::clone)).await, expected, "in two headers: {shown}");
        }
    }
}

#[tokio::test]
async fn no_neighbour_drops_ours() {
    let site = Site::new();
    let mine = pair(&site.visitor_with("mine").await, SESSION).into_bytes();
    let neighbours: [&[u8]; 20] = [
        b"",
        b";;;;",
        b"=",
        b"a",
        b"a=",
        b"=b",
        b"a=\"",
        b"a=\"\\",
        b"a={\"json\":[1,2]}",
        b"a=%",
        b"a=%zz%F",
        b"a=%00",
        b"umlaut=\xc3\xa4\xc3\xb6",
        b"latin=\xe4\xf6\xfc",
        b"broken=\xff\xfe\xc3",
        b"\xf0\x9f\x8d\xaa=cookie",
        b"tab=\t\t",
        b"$Version=1; $Path=/; $Domain=.example",
        b"a=b, c=d",
        b"expires=Thu, 01 Jan 1970 00:00:00 GMT",
    ];
    for neighbour in neighbours {
        let shown = String::from_utf8_lossy(neighbour).into_owned();
        for cookies in [
            vec![[neighbour, b"; ", &mine[..]].concat()],
            vec![[&mine[..], b";", neighbour].concat()],
            vec![[neighbour, b" ;\t", &mine[..], b"\t ; ", neighbour].concat()],
            vec![neighbour.to_vec(), mine.clone(), neighbour.to_vec()],
        ] {
            assert_eq!(site.note(&cookies).await, ("mine".into(), vec![Call::Load]), "{shown}");
        }
    }
}

#[tokio::test]
async fn a_cookie_does_not_open_under_the_name_of_another() {
    let site = Site::new();
    let mut browser = site.visitor_with("mine").await;
    let anonymous = value(&browser, SESSION).to_owned();
    browser.post("/sign-in/ada").await;
    let (login, visitor) = (value(&browser, LOGIN).to_owned(), value(&browser, VISITOR).to_owned());
    for (name, foreign) in [
        (SESSION, &login),
        (SESSION, &visitor),
        (LOGIN, &anonymous),
        (LOGIN, &visitor),
        (VISITOR, &anonymous),
        (VISITOR, &login),
    ] {
        let cookies = [format!("{name}={foreign}").into_bytes()];
        assert_eq!(site.note(&cookies).await, (String::new(), vec![]), "{name}");
        let (answer, _) = site.send(axum::http::Method::GET, "/hello", &cookies).await;
        assert_eq!(answer.text(), "", "{name}");
    }
}
