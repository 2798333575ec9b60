"""Function words and shop words by language, for the language detection of short messages."""

from typing import Final

ENGLISH: Final = frozenset(
    """
    a about account add address after again all already also always am an and another any
    anything are as ask at back be because been before but buy by call can can't cancel cannot
    card change charge charged check could couldn't customer damaged day days deliver delivered
    delivery did didn't do does doesn't doing don't done dont email even ever find first for
    from get give go good got had has hasn't have haven't hello help her here hey hi him his how
    i i'd i'll i'm i've if in into is isn't issue it it's its just know last late let like live
    long look made make many may me message missing money more much my name need never new next
    no not nothing now of off on one only or order ordered orders other our out over own package
    paid parcel pay payment phone pick place please pls problem product put really receive
    received refund return right said same say see send sent shall ship shipped shipping should
    show size so some someone something soon still store such support sure take talk tell than
    thank thanks that that's the their them then there these they thing think this those time to
    today told tomorrow too track tracking tried try two u until up update us use very wait
    waiting want was wasn't way we week weeks well went were what what's when where where's
    wheres which while who why will with without won't work working would wrong yes yesterday
    yet you your
    """.split()  # noqa: SIM905 - readable as prose
)
# Words of other languages that are not English words, names or misspellings of one.
FOREIGN: Final = (
    frozenset(
        """
    ich falsche falsch größe groesse beschädigt erhalten kaputt stornieren umtauschen ist
    nicht mein meine meinen meiner wo wie und das ein eine einen habe hallo danke bitte warum
    wann kann können sie wir ihr auf für mit von zu aus bei noch schon immer kein keine paket
    bestellung bestellt lieferung rechnung rückgabe rücksendung geld zurück geliefert
    angekommen guten morgen abend schön schoen vielen hilfe wurde sind haben möchte moechte
    brauche jetzt heute gestern deutsch sprechen über nein je retourner acheter annuler
    échanger suis où est-ce quand pourquoi comment bonjour bonsoir salut merci beaucoup svp
    s'il plaît commande colis livraison remboursement retour facture mon mes votre vos nous
    vous avec pour dans cette quel quelle combien j'ai c'est n'est pas reçu recu toujours
    besoin d'aide voudrais peux pouvez parlez français oui aujourd'hui hier argent cassé livré
    bonne journée ça très hola gracias dónde donde está esta cuándo cuando cómo como qué
    porque mi pedido paquete envío envio devolución devolucion reembolso dinero factura
    tarjeta quiero necesito puedo tengo mis llegado llegó todavía aún por favor buenos buenas
    días tardes noches ayuda señor hoy ayer mañana hablar español ustedes usted muy pero para
    nada compra tienda ciao grazie dove dov'è quando perché come mio mia ordine pacco
    spedizione rimborso reso soldi vorrei posso ho buongiorno buonasera ancora arrivato
    fattura sono non è più questo aiuto oggi ieri consegna prego parla italiano olá obrigado
    obrigada onde quando quero meu minha encomenda entrega devolver dinheiro preciso você voce
    não nao ainda chegou bom dia tarde noite ajuda hoje ontem está são fatura reembolso posso
    waar mijn pakket bestelling hoe wanneer waarom niet ik heb wil graag geld terug bedankt
    dank hulp nog geen goedemorgen goedendag goedemiddag kunt jullie het een factuur levering
    ontvangen alstublieft gdzie jest moja moje moj mój zamówienie zamowienie paczka przesyłka
    dzień dobry dziękuję dziekuje proszę prosze kiedy nie mam chcę zwrot pieniądze dlaczego
    cześć pomoc jak var är min mitt beställning paket när hej tack jag har inte varför hur kan
    vill pengar tillbaka hvor er bestilling pakke når takk tak jeg ikke hvorfor penge penger
    tilbage tilbake pakken nerede siparişim siparis sipariş kargo kargom ne zaman merhaba
    teşekkürler tesekkurler nasıl neden iade para istiyorum benim lütfen lutfen đơn hàng của
    tôi ở đâu khi nào xin chào cảm ơn không tại sao hoàn tiền giúp dimana pesanan saya kapan
    terima kasih halo apa kenapa tidak belum uang kembali tolong bagaimana barang sampai
    selamat pagi paket kde je moje objednávka balík kdy dobrý den děkuji proč není prosím
    vrácení unde este comanda mea când mulțumesc multumesc bună buna ziua coletul nu vreau
    banii missä pakettini tilaukseni paketti milloin kiitos hei miksi minun rahat takaisin en
    ole saanut hol van csomagom rendelésem köszönöm jó napot mikor nem
    """.split()  # noqa: SIM905 - readable as prose
    )
    - ENGLISH
    - frozenset(
        """
    comment retour mon mes come come var min tack dag van hol hei halo ho er como para pero est
    mia mio bom dia den je jak nu buna kan vill ne tak pour pas non como favor nada mi en die
    fur bei hat man dank sie von salut apa barang esta donde kasih hoe wil het een moje als mit
    auf paket hallo
    """.split()  # noqa: SIM905 - these are English words, names or slips as well
    )
)
# Words with half the weight: they also occur in names and typing errors of English messages.
WEAK: Final = frozenset(
    """
    de la el le les des du un una une en que y der die den dem zu im il di da con per se te em
    na ma mi lo al est et on sur no como para pero mon mes non pas tu es ja si ne er van een het
    hoe wil die nu je den min kan vill mit auf von sie por o os um uma com mais por è à au pour
    nada favor esta donde mio mia come der ho moje paket hallo
    """.split()  # noqa: SIM905 - readable as prose
) - frozenset({"die", "on", "no", "come", "hat"})
