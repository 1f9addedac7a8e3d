"""What stands in the way of a page, with status 200: written by us in the manner of what is met in the wild."""

DELIVERY = "https://captcha.example.net/c/?cid=AHrlqAAA&referer=https%3A%2F%2Fwww.metacritic.com%2Fmovie%2Fher"

HTML = {
    "blank": "",
    "one byte": "0",
    "white space": " \r\n\t\n",
    "an empty document": "<!DOCTYPE html><html><head></head><body></body></html>",
    "a challenge that waits": """<!DOCTYPE html><html lang="en-US"><head><title>Just a moment...</title>
        <meta name="robots" content="noindex,nofollow"><meta http-equiv="refresh" content="390"></head>
        <body class="no-js"><div class="main-wrapper"><h1>www.metacritic.com</h1><p>Checking that your connection is
        secure.</p><noscript>Turn on JavaScript and cookies to go on</noscript></div>
        <script>window._chl_opt = {cZone: 'www.metacritic.com', cType: 'managed', cRay: '8f00aa'};
        var a = document.createElement('script'); a.src = '/cdn-cgi/challenge-platform/h/b/orchestrate.js';
        document.head.appendChild(a);</script></body></html>""",
    "a ban with a number": """<html class="no-js"><head><title>Attention Required! | Edge</title></head><body>
        <div id="cf-wrapper"><h1>Sorry, you have been blocked</h1><h2>You are unable to access metacritic.com</h2>
        <p>Ray ID: 8f00aa12</p><a href="https://edge.example.com/5xx-error-landing">Performance by Edge</a></div>
        </body></html>""",
    "a script that asks for a captcha": f"""<html lang="en"><head><title>metacritic.com</title></head>
        <body style="margin:0"><p id="cmsg">Please enable JS and disable any ad blocker</p>
        <script data-cfasync="false">var dd={{'rt':'c','cid':'AHrlqAAA','host':'captcha.example.net'}}</script>
        <iframe src="{DELIVERY}" title="Verification"></iframe></body></html>""",
    "access denied": """<HTML><HEAD><TITLE>Access Denied</TITLE></HEAD><BODY><H1>Access Denied</H1>
        You don't have permission to access "http&#58;&#47;&#47;www&#46;metacritic&#46;com&#47;movie&#47;her" on this
        server.<P>Reference&#32;&#35;18&#46;2f&#46;1767&#46;4c</P></BODY></HTML>""",
    "press and hold": """<!DOCTYPE html><html><head><title>Access to this page has been denied.</title></head><body>
        <h1>Press &amp; Hold to confirm you are a human</h1><div id="px-captcha"></div>
        <script>window._pxAppId='PX00';window._pxHostUrl='/api/collector';</script></body></html>""",
    "a form with a captcha": """<html><head><title>Are you a robot?</title></head><body><form action="/captcha/solve"
        method="post"><img src="/captcha/image?id=77" alt=""><input name="answer"><button>Go on</button></form></body>
        </html>""",
    "consent": """<!DOCTYPE html><html><head><title>Your privacy</title>
        <link rel="canonical" href="https://consent.example.org/start"></head><body><h1>Before you go on</h1>
        <p>We and our 812 partners store things on your device.</p><form action="/consent/save" method="post">
        <button name="all">Accept all</button><button name="none">Reject all</button></form>
        <a href="https://consent.example.org/partners">Partners</a></body></html>""",
    "a form to log in": """<!DOCTYPE html><html><head><title>Log in</title></head><body>
        <nav><a href="/game/">Games</a><a href="/movie/">Movies</a><a href="/tv/">TV</a><a href="/music/">Music</a>
        <a href="/browse/movie/">All</a><a href="/movie/tin-orchestra">Tin Orchestra</a></nav>
        <form action="/login" method="post"><input type="email" name="email"><input type="password" name="password">
        <button>Log in</button></form></body></html>""",
    "a shell without content": """<!DOCTYPE html><html><head><meta charset="utf-8"><script defer src="/app.js"></script>
        </head><body><noscript>You need to enable JavaScript to run this app.</noscript><div id="root"></div></body>
        </html>""",
    "maintenance": """<html><head><title>Back soon</title></head><body><h1>We are down for maintenance</h1>
        <p>Follow us <a href="https://social.example.com/">elsewhere</a>. Try <a href="/">again</a> later.</p></body>
        </html>""",
    "somebody else's page": """<html><head><title>Free Wi-Fi</title>
        <meta property="og:url" content="http://wifi.example.net/start"></head><body><p>Welcome to the hotel!</p>
        <a href="http://wifi.example.net/terms">Terms</a></body></html>""",
    "a plain word": "Forbidden",
}
JSON = {
    "a refusal": '{"message": "Forbidden"}',
    "a captcha": f'{{"url": "{DELIVERY}"}}',
    "a collector": '{"appId": "PX00", "jsClientSrc": "/init.js", "blockScript": "/captcha.js", "data": ""}',
}
