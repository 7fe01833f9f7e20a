/** Domains at which any person can have an address: what stands behind the @ says nothing of a company. */
export const MAIL_PROVIDERS: ReadonlySet<string> = new Set(
  `
  gmail.com googlemail.com
  outlook.com outlook.de outlook.fr outlook.es outlook.it hotmail.com hotmail.co.uk hotmail.de hotmail.fr hotmail.es
  hotmail.it live.com live.co.uk live.de live.fr live.nl live.ca msn.com passport.com
  yahoo.com yahoo.co.uk yahoo.de yahoo.fr yahoo.es yahoo.it yahoo.ca yahoo.in yahoo.co.in yahoo.co.jp yahoo.com.br
  yahoo.com.au yahoo.com.mx yahoo.com.ar ymail.com rocketmail.com aol.com aol.de aim.com
  icloud.com me.com mac.com
  gmx.com gmx.de gmx.net gmx.at gmx.ch web.de t-online.de freenet.de arcor.de online.de mail.de posteo.de mailbox.org
  proton.me protonmail.com pm.me tutanota.com tuta.io hey.com fastmail.com fastmail.fm zoho.com zohomail.com hushmail.com
  mail.com email.com usa.com inbox.com mail.ru bk.ru list.ru inbox.ru yandex.com yandex.ru rambler.ru
  orange.fr wanadoo.fr free.fr sfr.fr laposte.net neuf.fr bbox.fr numericable.fr
  libero.it virgilio.it tiscali.it alice.it tin.it
  btinternet.com sky.com virginmedia.com talktalk.net ntlworld.com blueyonder.co.uk
  comcast.net verizon.net att.net sbcglobal.net bellsouth.net cox.net charter.net earthlink.net optonline.net juno.com
  rogers.com shaw.ca sympatico.ca telus.net bell.net
  bigpond.com bigpond.net.au optusnet.com.au
  uol.com.br bol.com.br terra.com.br ig.com.br
  qq.com 163.com 126.com sina.com foxmail.com naver.com daum.net hanmail.net rediffmail.com
  bluewin.ch hispeed.ch sunrise.ch chello.at aon.at telenet.be skynet.be ziggo.nl kpnmail.nl planet.nl
  wp.pl o2.pl onet.pl interia.pl seznam.cz centrum.cz abv.bg mail.bg telia.com
  `
    .trim()
    .split(/\s+/),
);
