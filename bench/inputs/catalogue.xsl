<?xml version="1.0"?>
<!-- SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

     catalogue.xsl: what xsltproc does with catalogue.xml in the demo: an HTML report of a shop's orders, with keys,
     sorted groups, a template for each element and strings put together, as reports are. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
  <xsl:output method="html" encoding="UTF-8" indent="yes"/>
  <xsl:key name="customer" match="customer" use="@id"/>
  <xsl:key name="by-city" match="order" use="ship/city"/>

  <xsl:template match="/shop">
    <html>
      <head><title>Orders by city</title></head>
      <body>
        <xsl:for-each select="orders/order[generate-id() = generate-id(key('by-city', ship/city)[1])]">
          <xsl:sort select="ship/city"/>
          <h1><xsl:value-of select="ship/city"/></h1>
          <p><xsl:value-of select="count(key('by-city', ship/city))"/> orders</p>
          <xsl:apply-templates select="key('by-city', ship/city)">
            <xsl:sort select="@date"/>
            <xsl:sort select="@id" data-type="number"/>
          </xsl:apply-templates>
        </xsl:for-each>
      </body>
    </html>
  </xsl:template>

  <xsl:template match="order">
    <div class="order" id="{concat('order-', @id)}">
      <h2><xsl:value-of select="concat(@date, ' ', key('customer', @customer)/name)"/></h2>
      <xsl:apply-templates select="ship"/>
      <table>
        <xsl:apply-templates select="item"/>
        <tr>
          <td>total</td>
          <td><xsl:call-template name="total"><xsl:with-param name="items" select="item"/></xsl:call-template></td>
        </tr>
      </table>
      <xsl:apply-templates select="note"/>
    </div>
  </xsl:template>

  <xsl:template match="ship">
    <p><xsl:value-of select="concat(street, ', ', zip, ' ', city)"/></p>
  </xsl:template>

  <xsl:template match="item">
    <tr class="{translate(@sku, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz')}">
      <td><xsl:value-of select="normalize-space(title)"/></td>
      <td><xsl:value-of select="format-number(@price * @count, '#,##0.00')"/></td>
    </tr>
  </xsl:template>

  <xsl:template match="note"><p class="note"><xsl:apply-templates/></p></xsl:template>
  <xsl:template match="em"><i><xsl:value-of select="."/></i></xsl:template>

  <xsl:template name="total">
    <xsl:param name="items"/>
    <xsl:param name="sum" select="0"/>
    <xsl:choose>
      <xsl:when test="$items">
        <xsl:call-template name="total">
          <xsl:with-param name="items" select="$items[position() &gt; 1]"/>
          <xsl:with-param name="sum" select="$sum + $items[1]/@price * $items[1]/@count"/>
        </xsl:call-template>
      </xsl:when>
      <xsl:otherwise><xsl:value-of select="format-number($sum, '#,##0.00')"/></xsl:otherwise>
    </xsl:choose>
  </xsl:template>
</xsl:stylesheet>
